/**
 * How long bytes are on the wire, against the best that has been seen. Parts that share a line that is
 * full take longer, all of them: then neither more parts nor more memory help. No clock.
 */

/** Beyond this much of the least time the line is full. */
const FULL_LINE_FACTOR = 1.5;
/** Share of a new time in the recent one. */
const RECENT_SHARE = 0.5;
/** How fast the least time is forgotten, a part: a line that has become slower is believed. */
const LEAST_DECAY = 1 / 512;
/** One part that was quick by chance does not make the line: the least time falls by half at most. */
const LEAST_FALL = 0.5;

export class WirePace {
  #recentMsPerByte = 0;
  #leastMsPerByte = 0;

  /** @param msPerByte of a part that has arrived; nothing where it was not measured */
  measure(msPerByte: number | undefined): void {
    // Nothing at all is a clock that was too coarse.
    if (msPerByte === undefined || msPerByte <= 0) return;
    if (this.#leastMsPerByte === 0) {
      this.#recentMsPerByte = msPerByte;
      this.#leastMsPerByte = msPerByte;
      return;
    }
    this.#recentMsPerByte += (msPerByte - this.#recentMsPerByte) * RECENT_SHARE;
    const leastMsPerByte = Math.min(
      this.#leastMsPerByte,
      Math.max(msPerByte, this.#leastMsPerByte * LEAST_FALL),
    );
    this.#leastMsPerByte = leastMsPerByte + (this.#recentMsPerByte - leastMsPerByte) * LEAST_DECAY;
  }

  get isLineFull(): boolean {
    return this.#recentMsPerByte > this.#leastMsPerByte * FULL_LINE_FACTOR;
  }
}
