/** One of a bounded number of places for images that are being copied. */

import type { LimitFunction } from 'p-limit';
import { takePermit } from '../layer/permit.ts';

/** One delivery's share in the place of its job. */
export interface SlotShare {
  /** It has so many blobs to obtain. Until then, and once it has them all, it is at work. */
  planned(blobCount: number): void;
  /** One blob waits for another image; the result ends that, and resolves when the job has a place again. */
  wait(): () => Promise<void>;
  /** One blob is there, or will not come. */
  obtained(): void;
  /** The delivery has ended. Idempotent. */
  leave(): void;
}

/**
 * A job's place, which it gives back while all its deliveries only wait for other images: else a few
 * images with a large common layer would keep everybody else out. A delivery that still sends one blob
 * while others of it wait keeps the place.
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

  /**
   * @param deliveryCount how many will take a share, and leave it
   * @throws the signal's reason
   */
  static async take(
    slots: LimitFunction,
    deliveryCount: number,
    signal: AbortSignal,
  ): Promise<JobSlot> {
    const slot = new JobSlot(slots, deliveryCount, signal);
    slot.#giveBack = await takePermit(slots, signal);
    return slot;
  }

  share(): SlotShare {
    let openCount = 0;
    let waitingCount = 0;
    let hasLeft = false;
    let wasBusy = true;
    const update = (): void => {
      const isBusy = !hasLeft && (waitingCount === 0 || waitingCount < openCount);
      if (isBusy === wasBusy) return;
      wasBusy = isBusy;
      this.#busyCount += isBusy ? 1 : -1;
      if (this.#busyCount > 0) return;
      this.#giveBack?.();
      this.#giveBack = undefined;
    };
    return {
      planned: (blobCount) => {
        openCount = blobCount;
      },
      wait: () => {
        waitingCount += 1;
        update();
        return async () => {
          waitingCount -= 1;
          update();
          if (!hasLeft) await this.#regain();
        };
      },
      obtained: () => {
        openCount -= 1;
        update();
      },
      leave: () => {
        hasLeft = true;
        update();
      },
    };
  }

  async #regain(): Promise<void> {
    if (this.#giveBack !== undefined) return;
    this.#taking ??= this.#take();
    await this.#taking;
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
