/** Which bytes of which blobs have come over the network before. */

import type { Digest } from '../digest.ts';

/** Blobs that are remembered; of others, a second read counts as a first. */
const BLOBS_MAX = 200_000;

export class ReadMarks {
  /** How far each has been read. */
  readonly #marks = new Map<Digest, number>();
  #bytes = 0;
  #duplicateBytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get duplicateBytes(): number {
    return this.#duplicateBytes;
  }

  note(digest: Digest, firstByte: number, count: number): void {
    const mark = this.#marks.get(digest) ?? 0;
    this.#bytes += count;
    this.#duplicateBytes += Math.min(count, Math.max(0, mark - firstByte));
    this.#marks.delete(digest);
    this.#marks.set(digest, Math.max(mark, firstByte + count));
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > BLOBS_MAX && oldest !== undefined) this.#marks.delete(oldest);
  }
}
