/** Counts decoded bytes of parts that are not committed yet, over all connections. */

import { serverFailure } from './exception.ts';

export class StagingBudget {
  readonly #limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Refuses rather than waits: the parts that hold the budget may be waiting for this very one.
   *
   * @throws EcrException `ServerException` 503
   */
  take(sizeBytes: number): void {
    if (this.#heldBytes + sizeBytes > this.#limitBytes) {
      throw serverFailure('Too many parts are in flight for the emulator', 503);
    }
    this.#heldBytes += sizeBytes;
  }

  give(sizeBytes: number): void {
    this.#heldBytes -= sizeBytes;
  }
}
