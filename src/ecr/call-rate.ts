/** What is left of a rate that was halved for each congestion; the smallest share of the setting. */
const RATE_SHARE_MIN = 1 / 64;
/** How much of the setting comes back in a second: ten seconds from one half to the whole. */
const GROWTH_SHARE_PER_SECOND = 1 / 20;

/**
 * The rate at which an operation may be called: the setting, until ECR throttles. Then it is halved and
 * grows back evenly, so that several programs on one quota come to share it. Pure: the time is told.
 */
export class CallRate {
  readonly #perSecondMax: number;
  #perSecondAtCut: number;
  #cutAtMs = Number.NEGATIVE_INFINITY;

  /** @param perSecondMax the setting */
  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
    this.#perSecondAtCut = perSecondMax;
  }

  perSecond(nowMs: number): number {
    if (this.#perSecondAtCut === this.#perSecondMax) return this.#perSecondMax;
    const elapsedSeconds = Math.max(0, nowMs - this.#cutAtMs) / 1000;
    const grown = this.#perSecondMax * GROWTH_SHARE_PER_SECOND * elapsedSeconds;
    return Math.min(this.#perSecondMax, this.#perSecondAtCut + grown);
  }

  /**
   * A call was throttled. Calls that were under way when the rate was cut tell nothing of the new rate.
   * @param begunAtMs when the call left
   * @returns whether the rate was cut
   */
  throttled(begunAtMs: number, nowMs: number): boolean {
    if (begunAtMs <= this.#cutAtMs) return false;
    const least = this.#perSecondMax * RATE_SHARE_MIN;
    this.#perSecondAtCut = Math.max(least, this.perSecond(nowMs) / 2);
    this.#cutAtMs = nowMs;
    return true;
  }
}
