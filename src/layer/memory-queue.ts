/** Who waits for part memory, and whose turn it is. No clock. */

export interface MemoryWaiter {
  readonly sizeBytes: number;
  /** Bytes of the layer still to be prepared; Infinity where only the end will tell, and for what goes first. */
  readonly remainingBytes: number;
  readonly grant: (shared: SharedArrayBuffer) => void;
}

interface Place {
  readonly waiter: MemoryWaiter;
  /** Grants to others who came later. */
  passedCount: number;
}

/** Grants to later comers after which a waiter has a claim to go first. */
const PASSED_MAX = 16;
/** Grants from one claim to the next: many that wait long must not hold up the largest layer at once. */
const GRANTS_PER_CLAIM = 4;

/**
 * The largest remaining layer goes first, since it decides when all are done; among equals the first
 * comer. Nobody is passed over for ever. Whoever is next stays next until there is room: a smaller
 * wish does not slip past.
 */
export class MemoryQueue {
  /** In the order of arrival. */
  readonly #places: Place[] = [];
  #sinceClaimCount = GRANTS_PER_CLAIM;

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  get next(): MemoryWaiter | undefined {
    let next: Place | undefined;
    const mayClaim = this.#sinceClaimCount >= GRANTS_PER_CLAIM;
    for (const place of this.#places) {
      if (mayClaim && place.passedCount >= PASSED_MAX) return place.waiter;
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
    const claimed = (this.#places[position]?.passedCount ?? 0) >= PASSED_MAX;
    this.#sinceClaimCount = claimed ? 1 : this.#sinceClaimCount + 1;
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
