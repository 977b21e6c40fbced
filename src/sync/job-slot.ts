/** One of a bounded number of places for images that are being copied. */

import type { LimitFunction } from 'p-limit';
import { takePermit } from '../layer/permit.ts';

/**
 * A job's place, which it gives back while all its deliveries only wait for other images: else a few
 * images with a large common layer would keep everybody else out.
 */
export class JobSlot {
  readonly #slots: LimitFunction;
  readonly #signal: AbortSignal;
  #giveBack: (() => void) | undefined;
  #taking: Promise<void> | undefined;
  #busyCount: number;

  private constructor(slots: LimitFunction, deliveryCount: number, signal: AbortSignal) {
    this.#slots = slots;
    this.#busyCount = deliveryCount;
    this.#signal = signal;
  }

  /** @throws the signal's reason */
  static async take(
    slots: LimitFunction,
    deliveryCount: number,
    signal: AbortSignal,
  ): Promise<JobSlot> {
    const slot = new JobSlot(slots, deliveryCount, signal);
    slot.#giveBack = await takePermit(slots, signal);
    return slot;
  }

  /** A delivery has ended. */
  leave(): void {
    this.#busyCount -= 1;
    if (this.#busyCount > 0) return;
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  /** A delivery waits; the result ends that, and resolves when the job has a place again. */
  wait(): () => Promise<void> {
    this.leave();
    return async () => {
      this.#busyCount += 1;
      if (this.#giveBack !== undefined) return;
      this.#taking ??= this.#take();
      await this.#taking;
    };
  }

  async #take(): Promise<void> {
    try {
      const giveBack = await takePermit(this.#slots, this.#signal);
      // Whoever wanted it may have given up meanwhile.
      if (this.#busyCount > 0) this.#giveBack = giveBack;
      else giveBack();
    } finally {
      this.#taking = undefined;
    }
  }
}
