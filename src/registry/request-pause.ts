/** A time in which a registry wants no requests, or none of one kind. */

import { abortable } from '../abort.ts';
import { ReadFault } from './read-fault.ts';
import type { Surroundings } from './surroundings.ts';

/** Added to a pause at random, so that not all who wait for the same registry come back together. */
const JITTER_SHARE = 0.1;
const JITTER_MS_MAX = 5000;

/**
 * Requests wait until it is over. Then one goes first, and the others when that one has been answered: a
 * registry that still refuses hears from us once.
 */
export class RequestPause {
  readonly #pauseMsMax: number;
  readonly #surroundings: Surroundings;
  #untilMs = 0;
  /** When the first of the pauses in a row began, with no answer in between. */
  #sinceMs: number | undefined;
  #count = 0;
  #said = '';
  #isProbed = false;
  #wake: () => void = () => undefined;
  #probed: Promise<void> = Promise.resolve();

  /** @param pauseMsMax longest pause, or pauses in a row, that is waited for */
  constructor(pauseMsMax: number, surroundings: Surroundings) {
    this.#pauseMsMax = pauseMsMax;
    this.#surroundings = surroundings;
  }

  get untilMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#untilMs;
  }

  /** Pauses in a row. */
  get count(): number {
    return this.#count;
  }

  /** @param said for the message of requests that are not made. @returns ms by which it is longer now */
  begin(pauseMs: number, said: string): number {
    const nowMs = this.#surroundings.now();
    const jitterMs = this.#surroundings.random() * Math.min(pauseMs * JITTER_SHARE, JITTER_MS_MAX);
    const beforeMs = Math.max(nowMs, this.untilMs);
    // What many are told at once is one pause.
    if (this.untilMs <= nowMs) this.#count += 1;
    this.#sinceMs ??= nowMs;
    this.#untilMs = Math.max(beforeMs, Math.ceil(nowMs + pauseMs + jitterMs));
    this.#said = said;
    return this.#untilMs - beforeMs;
  }

  /** Whether it is one that nobody waits for. */
  get isTooLong(): boolean {
    return this.#sinceMs !== undefined && this.#untilMs - this.#sinceMs > this.#pauseMsMax;
  }

  /**
   * Resolves when it seems to be over.
   * @param isProbe whether the caller is the one that looks
   * @throws ReadFault if it is too long; the signal's reason
   */
  async elapsed(isProbe: boolean, signal: AbortSignal): Promise<void> {
    while (this.#sinceMs !== undefined) {
      const remainingMs = this.#untilMs - this.#surroundings.now();
      if (remainingMs > 0) {
        if (this.isTooLong) throw this.#fault(remainingMs);
        await this.#surroundings.delay(remainingMs, signal);
      } else if (this.#isProbed && !isProbe) {
        await abortable(this.#probed, signal);
      } else {
        return;
      }
    }
  }

  /** What {@link elapsed} would have to wait for. */
  isOn(isProbe: boolean): boolean {
    if (this.#sinceMs === undefined) return false;
    return this.#untilMs > this.#surroundings.now() || (this.#isProbed && !isProbe);
  }

  /** Called when it is not on. @returns whether the caller is the one that looks if it is over */
  claimProbe(): boolean {
    if (this.#sinceMs === undefined) return false;
    this.#isProbed = true;
    this.#probed = new Promise((resolve) => {
      this.#wake = resolve;
    });
    return true;
  }

  /** Who looked knows, or gives up. @param isOver whether the registry answered */
  probed(isOver: boolean): void {
    if (isOver) {
      this.#sinceMs = undefined;
      this.#count = 0;
    }
    this.#isProbed = false;
    this.#wake();
  }

  #fault(remainingMs: number): ReadFault {
    const remedy = `come back in ${durationText(remainingMs)}; who is logged in may usually read more`;
    return new ReadFault('final', this.#said, remedy, { retryAfterMs: remainingMs });
  }
}

export function durationText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (ms <= 120_000) return `${Math.ceil(ms / 1000)} seconds`;
  return minutes <= 120 ? `${minutes} minutes` : `${Math.ceil(ms / 360_000) / 10} hours`;
}
