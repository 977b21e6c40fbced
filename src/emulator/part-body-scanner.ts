/**
 * Reads the JSON body of `UploadLayerPart` as a stream. The value of `layerPartBlob` goes to the
 * content sink as it arrives; everything else is kept and parsed as ordinary JSON at the end, so
 * members may come in any order and with any whitespace.
 */

import { PART_MEMBERS_MAX_BYTES } from './emulator-limits.ts';
import { serializationFailure } from './exception.ts';
import type { PartContent } from './part-content.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;
const BLOB_MEMBER = 'layerPartBlob';
/** Characters of an escape after its backslash: one, or `u` and four digits. */
const UNICODE_ESCAPE_SIZE_CHARACTERS = 5;

type State = 'structure' | 'string' | 'string-escape' | 'blob' | 'blob-escape';

export class PartBodyScanner {
  readonly #content: PartContent;
  readonly #kept: Buffer[] = [];
  #keptSizeBytes = 0;
  #state: State = 'structure';
  #depth = 0;
  #expectsKey = false;
  /** Raw text of the string being read, if it is a key of the outermost object. */
  #key: number[] | undefined;
  #blobIsNext = false;
  #escape = '';
  #blobSeen = false;

  constructor(content: PartContent) {
    this.#content = content;
  }

  /**
   * Takes the next piece of the body.
   *
   * @throws EcrException `SerializationException` for a body that cannot become a part.
   */
  write(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length) {
      if (this.#state === 'blob') position = this.#readBlob(chunk, position);
      else if (this.#state === 'blob-escape') position = this.#readBlobEscape(chunk, position);
      else position = this.#readMembers(chunk, position);
    }
  }

  /**
   * The members of the body. `layerPartBlob` is an empty string in place of the bytes, if it was a
   * string at all.
   *
   * @throws EcrException `SerializationException` if the body is not one JSON object.
   */
  end(): unknown {
    if (this.#state === 'blob' || this.#state === 'blob-escape') {
      throw serializationFailure('The request body ends within layerPartBlob');
    }
    if (this.#blobSeen && !this.#content.end()) {
      throw serializationFailure('layerPartBlob is not a valid base64 string');
    }
    try {
      return JSON.parse(Buffer.concat(this.#kept).toString('utf8'));
    } catch {
      throw serializationFailure('The request body is not valid JSON');
    }
  }

  // Runs to the end of the chunk or up to the first character of the blob.
  #readMembers(chunk: Buffer, start: number): number {
    let position = start;
    for (; position < chunk.length && this.#state !== 'blob'; position += 1) {
      // The members are few and short: a walk by byte is bounded by PART_MEMBERS_MAX_BYTES.
      if (this.#keptSizeBytes + position - start > PART_MEMBERS_MAX_BYTES) {
        throw serializationFailure('The members beside layerPartBlob are too long');
      }
      this.#step(chunk[position] ?? 0);
    }
    // Copied: a view would keep the whole chunk alive.
    this.#kept.push(Buffer.from(chunk.subarray(start, position)));
    this.#keptSizeBytes += position - start;
    return position;
  }

  #step(byte: number): void {
    if (this.#state === 'string-escape') {
      this.#key?.push(byte);
      this.#state = 'string';
    } else if (this.#state === 'string') {
      this.#stepString(byte);
    } else {
      this.#stepStructure(byte);
    }
  }

  #stepString(byte: number): void {
    if (byte === QUOTE) {
      this.#state = 'structure';
      if (this.#key === undefined) return;
      this.#blobIsNext = isBlobMember(this.#key);
      this.#key = undefined;
      return;
    }
    this.#key?.push(byte);
    if (byte === BACKSLASH) this.#state = 'string-escape';
  }

  #stepStructure(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#openString();
        return;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.#depth += 1;
        this.#expectsKey = byte === OPEN_BRACE && this.#depth === 1;
        this.#blobIsNext = false;
        return;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.#depth -= 1;
        return;
      case COMMA:
        this.#expectsKey = this.#depth === 1;
        this.#blobIsNext = false;
        return;
      case COLON:
        this.#expectsKey = false;
        return;
      default:
    }
  }

  #openString(): void {
    if (this.#blobIsNext && this.#depth === 1 && !this.#expectsKey) {
      if (this.#blobSeen) throw serializationFailure('layerPartBlob occurs twice');
      this.#blobSeen = true;
      this.#blobIsNext = false;
      this.#state = 'blob';
      return;
    }
    this.#state = 'string';
    this.#key = this.#expectsKey && this.#depth === 1 ? [] : undefined;
    this.#expectsKey = false;
  }

  #readBlob(chunk: Buffer, start: number): number {
    const quote = chunk.indexOf(QUOTE, start);
    const end = quote === -1 ? chunk.length : quote;
    const backslash = chunk.indexOf(BACKSLASH, start);
    if (backslash !== -1 && backslash < end) {
      this.#content.write(chunk, start, backslash);
      this.#state = 'blob-escape';
      this.#escape = '';
      return backslash + 1;
    }
    this.#content.write(chunk, start, end);
    if (quote === -1) return chunk.length;
    // The closing quote is kept with the members: together with the opening one it is `""`.
    this.#state = 'structure';
    this.#kept.push(Buffer.from('"'));
    this.#keptSizeBytes += 1;
    return quote + 1;
  }

  #readBlobEscape(chunk: Buffer, start: number): number {
    const byte = chunk[start] ?? 0;
    this.#escape += String.fromCharCode(byte);
    const isUnicode = this.#escape.charCodeAt(0) === LOWER_U;
    if (isUnicode && this.#escape.length < UNICODE_ESCAPE_SIZE_CHARACTERS) return start + 1;
    const character = unescaped(`\\${this.#escape}`);
    if (character === undefined || character.charCodeAt(0) > 0x7f) {
      throw serializationFailure('layerPartBlob is not a valid base64 string');
    }
    this.#content.write(Buffer.from(character, 'latin1'), 0, 1);
    this.#state = 'blob';
    return start + 1;
  }
}

function isBlobMember(rawKey: readonly number[]): boolean {
  const text = Buffer.from(rawKey).toString('utf8');
  return text === BLOB_MEMBER || (text.includes('\\') && unescaped(text) === BLOB_MEMBER);
}

function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
