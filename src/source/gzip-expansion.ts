/** Tells archives that are compressed from those that are made to fill a disk. */

import { imageInvalid } from '../image/image-errors.ts';
import { GIB } from '../limits.ts';

export interface ExpansionBounds {
  /** So much may come out of anything. */
  readonly freeBytes: number;
  /** Beyond that, so many bytes out of one. gzip's own most is 1032, of nothing but zeros. */
  readonly ratioMax: number;
}

const BOUNDS: ExpansionBounds = { freeBytes: GIB, ratioMax: 500 };

/**
 * Hands on what is decompressed.
 * @param takenBytes compressed bytes so far
 * @throws LongshoreError E_IMAGE_INVALID
 */
export async function* plausiblyExpanded(
  pieces: AsyncIterable<Uint8Array>,
  takenBytes: () => number,
  label: string,
  { freeBytes, ratioMax }: ExpansionBounds = BOUNDS,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const piece of pieces) {
    sizeBytes += piece.length;
    if (sizeBytes > freeBytes && sizeBytes > takenBytes() * ratioMax) {
      const problem = `its ${takenBytes()} bytes of gzip become more than ${ratioMax} times as many`;
      const remedy = 'if it is meant to, decompress it first (gzip -d)';
      throw imageInvalid(label, 'the archive', problem, undefined, remedy);
    }
    yield piece;
  }
}
