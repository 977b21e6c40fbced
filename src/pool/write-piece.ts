/** How many bytes a socket is given at once: no more than it takes in about a second. No clock. */

/**
 * The least: a socket that does not take so much within the stall time-out counts as stalled, be it that
 * a few bytes drip. At half a minute that is 550 bytes a second.
 */
export const PIECE_MIN_BYTES: number = 16 * 1024;

/** A piece that was taken in less may be larger the next time. */
const QUICK_MS = 100;
const GROWTH_FACTOR = 4;
/** What a piece should take at most, so that its being taken tells of progress. */
const SLOW_MS = 1000;

export class WritePiece {
  readonly #maxBytes: number;
  #sizeBytes = PIECE_MIN_BYTES;

  /** @param maxBytes where nothing is to be gained any more */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The socket took `lengthBytes` in `durationMs`. */
  taken(lengthBytes: number, durationMs: number): void {
    let wantedBytes = this.#sizeBytes;
    if (durationMs < QUICK_MS) wantedBytes *= GROWTH_FACTOR;
    else if (durationMs > SLOW_MS) wantedBytes = Math.floor((lengthBytes * SLOW_MS) / durationMs);
    this.#sizeBytes = Math.min(this.#maxBytes, Math.max(PIECE_MIN_BYTES, wantedBytes));
  }
}
