/** Who waits for part memory, and whose turn it is. No clock. */

export interface MemoryWaiter {
  readonly sizeBytes: number;
  /** Bytes of the layer still to be prepared; Infinity where only the end of the data will tell. */
  readonly remainingBytes: number;
  readonly grant: (shared: SharedArrayBuffer) => void;
}

interface Place {
  readonly waiter: MemoryWaiter;
  /** Grants to others who came later. */
  passedCount: number;
}

/** Grants to later comers after which a waiter goes first. */
const PASSED_MAX = 16;

/**
 * The largest remaining layer goes first, since it decides when all are done; among equals the first
 * comer. Nobody is passed over for ever. Whoever is next stays next until there is room: a smaller
 * wish does not slip past.
 */
export class MemoryQueue {
  /** In the order of arrival. */
  readonly #places: Place[] = [];

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  get next(): MemoryWaiter | undefined {
    let next: Place | undefined;
    for (const place of this.#places) {
      if (place.passedCount >= PASSED_MAX) return place.waiter;
      if (next === undefined || place.waiter.remainingBytes > next.waiter.remainingBytes) {
        next = place;
      }
    }
    return next?.waiter;
  }

  add(waiter: MemoryWaiter): void {
    this.#places.push({ waiter, passedCount: 0 });
  }

  /** The waiter has been served. */
  serve(waiter: MemoryWaiter): void {
    const position = this.#places.findIndex((place) => place.waiter === waiter);
    for (const earlier of this.#places.slice(0, position)) earlier.passedCount += 1;
    this.#places.splice(position, 1);
  }

  /** @returns false if it has been served already */
  giveUp(waiter: MemoryWaiter): boolean {
    const position = this.#places.findIndex((place) => place.waiter === waiter);
    if (position < 0) return false;
    this.#places.splice(position, 1);
    return true;
  }
}
