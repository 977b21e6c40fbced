/**
 * Weighs the time in which somebody waited for memory and no thread had anything to prepare against
 * the rest. Where the first prevails, the network is what everybody waits for, and more memory helps;
 * where threads are busy, more of it would only be filled sooner. No clock: times are passed in.
 */
export class IdleBalance {
  readonly #dueMs: number;
  #balanceMs = 0;
  #isIdle = false;
  #sinceMs = 0;

  /** @param dueMs how much more idle time than other time there must be */
  constructor(dueMs: number) {
    this.#dueMs = dueMs;
  }

  /** @param isIdle whether from now on somebody waits while nothing is prepared */
  turn(isIdle: boolean, nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    this.#balanceMs = Math.max(0, this.#balanceMs + (this.#isIdle ? elapsedMs : -elapsedMs));
    this.#isIdle = isIdle;
    this.#sinceMs = nowMs;
  }

  /** How much longer it must stay idle, as of the last turn; 0 or less if it was for long enough. */
  get missingMs(): number {
    return this.#dueMs - this.#balanceMs;
  }

  /** The idle time has had its effect. */
  clear(): void {
    this.#balanceMs = 0;
  }
}
