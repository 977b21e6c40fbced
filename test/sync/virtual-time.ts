/** Time that passes only when nobody has anything to do. */

import { setImmediate } from 'node:timers/promises';
import type { StartTimer } from '../../src/sync/joint-pass.ts';

/** Turns of the event loop in which everything that can go on without time does. */
const QUIET_TURNS = 3;

export class VirtualTime {
  readonly #timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  nowMs = 0;

  readonly startTimer: StartTimer = (delayMs, run) => {
    const timer = { dueMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timerCount(): number {
    return this.#timers.size;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.startTimer(delayMs, resolve));
  }

  /** Lets time pass until `work` is done. Fails if it waits for what is no matter of time. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      for (let turn = 0; turn < QUIET_TURNS; turn += 1) await setImmediate();
      if (isDone) return work;
      const [next] = [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) throw new Error('it waits, and not for time');
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.run();
    }
  }

  /** Lets everything go on that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn += 1) await setImmediate();
  }
}
