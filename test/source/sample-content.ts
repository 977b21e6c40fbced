/** Contents and the sources made of them. */

import type { Digest, RandomAccess } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';

/** Two parts, the last one short. */
export const bytes: Buffer = layerBytes(5 * MIB + 5);
export const sizeBytes: number = bytes.length;
export const digest: Digest = digestOf(bytes);

export async function* pieces(content: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += pieceBytes) {
    yield content.subarray(start, start + pieceBytes);
  }
}

export function randomAccess(
  content: Uint8Array,
  options: { readonly pieceBytes?: number } = {},
): RandomAccess {
  const { pieceBytes = Number.POSITIVE_INFINITY } = options;
  return {
    sizeBytes: content.length,
    read: (firstByte: number, lengthBytes: number) =>
      Promise.resolve(content.subarray(firstByte, firstByte + Math.min(lengthBytes, pieceBytes))),
  };
}
