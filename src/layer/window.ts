/**
 * How many parts of one upload are on the wire at once. No I/O, no clock.
 *
 * The server serves the parts of an upload one after the other. It is busy all the time if, whenever
 * it has answered one part, the next has arrived already but for the tail that we hold back. So that
 * is looked at with each commit: a next part that is still on its way asks for a wider window, three
 * that have arrived and wait for a narrower one.
 */

import { WirePace } from './wire-pace.ts';

/** What is seen on the wire at the moment when a part is committed, before the next one is released. */
export interface CommitReading {
  /** Following parts, one after the other, that have arrived but for their tails. */
  readonly arrivedCount: number;
  /** What it took the committed part to arrive, milliseconds for each byte, where it was measured. */
  readonly wireMsPerByte: number | undefined;
}

/** Nothing was looked at. */
export const NO_READING: CommitReading = {
  arrivedCount: 1,
  wireMsPerByte: undefined,
};

/** Parts on the wire before anything is known. */
const START = 6;
/** While no window was wide enough yet, it grows by this share of itself: a third. */
const GROWTH_DIVISOR = 3;
/** One part is served, one follows, one is a spare: the window is not closed further without need. */
const SHRINK_FLOOR = 3;
/** Commits in a row with parts to spare before the window shrinks. */
const SPARE_COMMITS = 8;
/** Parts that have arrived and wait, from which on the window counts as too wide. */
const SPARE_PARTS = 3;
/** Commits after which a window that was broken grows by one part again. */
const COMMITS_PER_RECOVERY = 8;
export class WindowControl {
  readonly #max: number;
  readonly #pace = new WirePace();
  #size: number;
  /** Commits until a change of the window shows in what is read. */
  #unseenCount: number;
  /** No window was wide enough yet: it grows by thirds of itself. */
  #searching = true;
  #spareCount = 0;
  /** Commits since the next part was last missed; only a second time in a while counts. */
  #sinceMissCount = Number.POSITIVE_INFINITY;
  /** The size at which a window broke, until it is reached again. */
  #brokenSize = 0;
  #sinceBreakCount = 0;

  /** @param max parts on the wire at once, at least 1 */
  constructor(max: number) {
    this.#max = max;
    this.#size = Math.min(START, max);
    this.#unseenCount = this.#size - 1;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * A part is committed.
   * @param isFull whether the window's worth of parts was on the wire: else something else is the limit
   * @returns whether the size has changed
   */
  committed(reading: CommitReading, isFull: boolean): boolean {
    this.#pace.measure(reading.wireMsPerByte);
    this.#sinceBreakCount += 1;
    if (this.#size < this.#brokenSize) return this.#recover();
    this.#unseenCount -= 1;
    this.#sinceMissCount += 1;
    this.#spareCount = reading.arrivedCount >= SPARE_PARTS ? this.#spareCount + 1 : 0;
    if (this.#unseenCount >= 0) return false;
    if (reading.arrivedCount === 0 && isFull) return this.#missed();
    // A window's worth of commits, and the next part was always there.
    if (this.#unseenCount < -this.#size) this.#searching = false;
    if (this.#spareCount < SPARE_COMMITS || this.#size <= SHRINK_FLOOR) return false;
    this.#searching = false;
    return this.#resize(this.#size - 1);
  }

  /**
   * The server or the clock would not have a tail held for so long.
   * @returns whether the size has changed
   */
  broken(): boolean {
    const size = Math.max(1, Math.floor(this.#size / 2));
    this.#brokenSize = Math.max(this.#size, this.#brokenSize);
    this.#sinceBreakCount = 0;
    this.#searching = false;
    return this.#resize(size);
  }

  /** The next part is still on its way. */
  #missed(): boolean {
    const isRepeated = this.#sinceMissCount <= 2 * this.#size;
    this.#sinceMissCount = 0;
    if (this.#pace.isLineFull) this.#searching = false;
    if (this.#pace.isLineFull || !(this.#searching || isRepeated)) return false;
    // Once it has broken, it grows no faster than it recovers.
    if (this.#brokenSize > 0 && this.#sinceBreakCount < COMMITS_PER_RECOVERY) return false;
    this.#sinceBreakCount = 0;
    return this.#resize(
      this.#size + (this.#searching ? Math.floor(this.#size / GROWTH_DIVISOR) : 1),
    );
  }

  #recover(): boolean {
    if (this.#sinceBreakCount < COMMITS_PER_RECOVERY) return false;
    this.#sinceBreakCount = 0;
    return this.#resize(this.#size + 1);
  }

  #resize(wanted: number): boolean {
    const size = Math.min(wanted, this.#max);
    if (size === this.#size) return false;
    this.#size = size;
    // Parts that are under way were sent in the old window.
    this.#unseenCount = size;
    this.#spareCount = 0;
    this.#sinceMissCount = Number.POSITIVE_INFINITY;
    return true;
  }
}
