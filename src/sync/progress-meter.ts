/** Where a sync stands, and how fast it goes. Pure: the time is told. */

import type { SyncProgress } from './sync-events.ts';

/** Over which the speed is measured. */
const WINDOW_MS = 10_000;
/** Images that must be done before a guess at the rest is worth something. */
const IMAGES_FOR_GUESS_MIN = 5;

/** What the meter does not count itself. */
export interface ProgressReadings {
  readonly tagCount: number;
  readonly uploadedBytes: number;
  readonly mountedBytes: number;
  readonly throttledCallCount: number;
}

export class ProgressMeter {
  readonly #startedAtMs: number;
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #known = 0;
  #inFlight = 0;
  #done = 0;
  #failed = 0;
  #discovered = false;

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs;
  }

  found(count: number): void {
    this.#known += count;
  }

  began(count: number): void {
    this.#inFlight += count;
  }

  ended(isFailed: boolean): void {
    this.#inFlight -= 1;
    if (isFailed) this.#failed += 1;
    else this.#done += 1;
  }

  /** Images that were begun will not be finished in this run. */
  stopped(count: number): void {
    this.#inFlight -= count;
  }

  discovered(): void {
    this.#discovered = true;
  }

  progress(nowMs: number, readings: ProgressReadings): SyncProgress {
    const ended = this.#done + this.#failed;
    return {
      imagesInFlight: this.#inFlight,
      imagesDone: this.#done,
      imagesFailed: this.#failed,
      imagesWaiting: this.#known - ended - this.#inFlight,
      discovered: this.#discovered,
      ...readings,
      bytesPerSecond: this.#speed(nowMs, readings.uploadedBytes),
      remainingMs: this.#remainingMs(nowMs, ended),
    };
  }

  #speed(nowMs: number, bytes: number): number {
    this.#samples.push({ atMs: nowMs, bytes });
    while ((this.#samples[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.#samples.shift();
    const oldest = this.#samples[0];
    if (oldest === undefined || oldest.atMs === nowMs) return 0;
    return Math.round(((bytes - oldest.bytes) / (nowMs - oldest.atMs)) * 1000);
  }

  #remainingMs(nowMs: number, ended: number): number | undefined {
    if (!this.#discovered || ended < IMAGES_FOR_GUESS_MIN) return undefined;
    const perImageMs = (nowMs - this.#startedAtMs) / ended;
    return Math.round(perImageMs * (this.#known - ended));
  }
}
