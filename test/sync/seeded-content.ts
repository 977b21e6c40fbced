/** Bytes that a seed and a length name: made when they are wanted, from any position on, and kept nowhere. */

import { createCipheriv, createHash } from 'node:crypto';
import type { Digest } from '../../src/digest.ts';

export interface SeededContent {
  readonly seed: number;
  readonly sizeBytes: number;
}

/** AES in counter mode is the fastest generator that Node has, and starts anywhere. */
const CIPHER = 'aes-128-ctr';
const KEY: Buffer = Buffer.from('a corpus of seed');
const BLOCK_SIZE_BYTES = 16;
const PIECE_SIZE_BYTES: number = 256 * 1024;
/** Begins as gzip does: some programs compress what does not, and then it is another layer. */
const MAGIC: Buffer = Buffer.from([0x1f, 0x8b, 0x08]);
const ZEROS: Buffer = Buffer.alloc(PIECE_SIZE_BYTES);

/** The bytes from `firstByte` to the end, in pieces. */
export function* readContent(
  { seed, sizeBytes }: SeededContent,
  firstByte = 0,
): Generator<Buffer, void> {
  const counter = Buffer.alloc(BLOCK_SIZE_BYTES);
  counter.writeUInt32BE(seed, 0);
  // The low half counts blocks: 2^36 bytes and more.
  counter.writeUInt32BE(Math.floor(firstByte / BLOCK_SIZE_BYTES), BLOCK_SIZE_BYTES - 4);
  const cipher = createCipheriv(CIPHER, KEY, counter);
  cipher.update(ZEROS.subarray(0, firstByte % BLOCK_SIZE_BYTES));
  for (let position = firstByte; position < sizeBytes; position += PIECE_SIZE_BYTES) {
    const piece = cipher.update(
      ZEROS.subarray(0, Math.min(PIECE_SIZE_BYTES, sizeBytes - position)),
    );
    if (position < MAGIC.length) piece.set(MAGIC.subarray(position, sizeBytes));
    yield piece;
  }
}

export function digestOfContent(content: SeededContent): Digest {
  const hash = createHash('sha256');
  for (const piece of readContent(content)) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

export function digestOfText(text: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
