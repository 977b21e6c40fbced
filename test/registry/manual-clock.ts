/** Surroundings in which time stands still until it is moved. */

import type { Surroundings } from '../../src/registry/surroundings.ts';

interface Delay {
  readonly dueMs: number;
  readonly end: () => void;
}

export interface ManualClock extends Surroundings {
  /** How many wait for time to pass. */
  delayCount(): number;
  /** Resolves as soon as so many wait at once. */
  delaysReach(count: number): Promise<void>;
  advance(ms: number): void;
}

export function manualClock(environment: Readonly<Record<string, string>> = {}): ManualClock {
  const delays = new Set<Delay>();
  const watchers = new Set<{ readonly count: number; readonly resolve: () => void }>();
  let nowMs = 0;
  const look = (): void => {
    for (const watcher of watchers) {
      if (delays.size < watcher.count) continue;
      watchers.delete(watcher);
      watcher.resolve();
    }
  };
  return {
    environment,
    homeDirectory: '/nonexistent',
    now: () => nowMs,
    random: () => 0.5,
    delay: (delayMs, signal) => {
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          delays.delete(delay);
          signal.removeEventListener('abort', onAbort);
        };
        const onAbort = (): void => {
          leave();
          reject(signal.reason);
        };
        const delay: Delay = {
          dueMs: nowMs + delayMs,
          end: () => {
            leave();
            resolve();
          },
        };
        delays.add(delay);
        signal.addEventListener('abort', onAbort, { once: true });
        look();
      });
    },
    delayCount: () => delays.size,
    delaysReach: (count) =>
      new Promise((resolve) => {
        watchers.add({ count, resolve });
        look();
      }),
    advance: (ms) => {
      nowMs += ms;
      for (const delay of delays) {
        if (delay.dueMs <= nowMs) delay.end();
      }
    },
  };
}
