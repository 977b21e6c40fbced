/** Makes new inputs of old ones. The same seed makes the same inputs. */

import { INPUT_BYTES_MAX } from './fuzz-target.ts';

/** Numbers and bytes at which programs err. */
const BYTES = [0, 1, 0x09, 0x0a, 0x0d, 0x1b, 0x20, 0x22, 0x2c, 0x2f, 0x5c, 0x7f, 0x80, 0xc0, 0xff];
const WORDS = [
  '-1',
  '0',
  '4294967296',
  '9007199254740993',
  '1e999',
  'NaN',
  'null',
  '[]',
  '{}',
  '""',
  '../',
  '%00',
  '%2e%2e%2f',
  '\u202e',
  '\ud83d\ude00',
  '\u001b[2J',
  'constructor',
  '__proto__',
  'toString',
];
const CHANGES_MAX = 8;
const REPEATS_MAX = 2000;

export class Mutator {
  readonly #words: readonly Buffer[];
  #state: number;

  constructor(seed: number, words: readonly string[]) {
    this.#state = seed >>> 0;
    this.#words = [...words, ...WORDS].map((word) => Buffer.from(word));
  }

  /** A variation of one of these, of at most {@link INPUT_BYTES_MAX} bytes. */
  vary(inputs: readonly Buffer[]): Buffer {
    let bytes: Buffer = Buffer.from(this.#one(inputs));
    const changeCount = 1 + this.#below(CHANGES_MAX);
    for (let count = 0; count < changeCount; count += 1) bytes = this.#change(bytes, inputs);
    return bytes.subarray(0, INPUT_BYTES_MAX);
  }

  #change(bytes: Buffer, inputs: readonly Buffer[]): Buffer {
    const at = this.#below(bytes.length + 1);
    const end = Math.min(bytes.length, at + this.#length());
    switch (this.#below(9)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#below(8));
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = this.#one(BYTES);
        return bytes;
      case 2:
        return joined(bytes.subarray(0, at), bytes.subarray(end));
      case 3:
        return bytes.subarray(0, at);
      case 4:
        return joined(bytes.subarray(0, at), this.#one(this.#words), bytes.subarray(at));
      case 5:
        return joined(bytes.subarray(0, at), this.#one(this.#words), bytes.subarray(end));
      case 6:
        return this.#repeated(bytes, at, end);
      case 7: {
        const other = this.#one(inputs);
        const from = this.#below(other.length + 1);
        return joined(
          bytes.subarray(0, at),
          other.subarray(from, from + this.#length()),
          bytes.subarray(at),
        );
      }
      default: {
        const other = this.#one(inputs);
        return joined(bytes.subarray(0, at), other.subarray(this.#below(other.length + 1)));
      }
    }
  }

  #repeated(bytes: Buffer, at: number, end: number): Buffer {
    const piece = bytes.subarray(at, end);
    if (piece.length === 0) return bytes;
    const room = Math.floor((INPUT_BYTES_MAX - bytes.length) / piece.length);
    const most = this.#below(4) === 0 ? REPEATS_MAX : 4;
    const count = Math.max(0, Math.min(room, 1 + this.#below(most)));
    const pieces = Array.from({ length: count }, () => piece);
    return joined(bytes.subarray(0, at), ...pieces, bytes.subarray(at));
  }

  /** Short ones mostly. */
  #length(): number {
    return 1 + this.#below(1 << this.#below(9));
  }

  #one<Item>(items: readonly Item[]): Item {
    const item = items[this.#below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  /** An integer from 0 to `limit - 1`: mulberry32. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
}

function joined(...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat(pieces);
}
