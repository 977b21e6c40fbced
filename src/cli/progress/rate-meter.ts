/** How fast something grows, over the last few seconds. */

const WINDOW_MS = 5_000;
/** Below this span a rate is noise. */
const SPAN_MIN_MS = 400;
/** At ten samples a second the window holds fifty; a bound for callers that ask more often. */
const SAMPLES_MAX = 256;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class RateMeter {
  #samples: Sample[] = [];

  /** Takes a reading and returns bytes a second, `undefined` while it cannot be told. */
  measure(atMs: number, bytes: number): number | undefined {
    const last = this.#samples.at(-1);
    // A layer that starts again falls back: what was measured before says nothing any more.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ atMs, bytes });
    // One sample older than the window stays, so that the span covers all of it.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) {
      this.#samples.shift();
    }
    if (this.#samples.length > SAMPLES_MAX) this.#samples.splice(1, 1);
    const first = this.#samples[0];
    if (first === undefined || atMs - first.atMs < SPAN_MIN_MS) return undefined;
    return ((bytes - first.bytes) / (atMs - first.atMs)) * 1000;
  }
}

/** Seconds until `leftBytes` are done; `undefined` where nothing moves. */
export function secondsLeft(
  leftBytes: number | undefined,
  bytesPerSecond: number | undefined,
): number | undefined {
  if (leftBytes === undefined || bytesPerSecond === undefined || bytesPerSecond <= 0) {
    return undefined;
  }
  return Math.max(0, leftBytes) / bytesPerSecond;
}
