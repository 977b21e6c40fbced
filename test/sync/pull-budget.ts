/** How many pulls a registry grants in a window, as Docker Hub counts them: GETs of manifests. */

export interface PullBudget {
  readonly limit: number;
  readonly windowSeconds: number;
}

export class PullCounter {
  readonly #budget: PullBudget;
  readonly #clock: () => number;
  #windowEndsAtMs = 0;
  #remaining = 0;

  /** @param clock milliseconds */
  constructor(budget: PullBudget, clock: () => number) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** @returns seconds to wait where there is nothing left */
  take(): number | undefined {
    const nowMs = this.#clock();
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + this.#budget.windowSeconds * 1000;
      this.#remaining = this.#budget.limit;
    }
    if (this.#remaining === 0) return Math.ceil((this.#windowEndsAtMs - nowMs) / 1000);
    this.#remaining -= 1;
    return undefined;
  }

  headers(): Record<string, string> {
    const { limit, windowSeconds } = this.#budget;
    return {
      'ratelimit-limit': `${limit};w=${windowSeconds}`,
      'ratelimit-remaining': `${this.#remaining};w=${windowSeconds}`,
    };
  }
}
