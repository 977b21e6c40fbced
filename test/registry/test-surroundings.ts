/** A process without credentials, and a clock that is moved by hand. */

import type { Surroundings } from '../../src/registry/surroundings.ts';

export interface TestSurroundings extends Surroundings {
  /** What was waited for, in milliseconds; nothing is. */
  readonly delays: number[];
  advance(ms: number): void;
}

export function testSurroundings(
  environment: Readonly<Record<string, string>> = {},
): TestSurroundings {
  const delays: number[] = [];
  let nowMs = 0;
  return {
    environment,
    homeDirectory: '/nonexistent',
    delays,
    now: () => nowMs,
    random: () => 0.5,
    delay: (delayMs, signal) => {
      signal.throwIfAborted();
      delays.push(delayMs);
      return Promise.resolve();
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** Never aborts. */
export function quiet(): AbortSignal {
  return new AbortController().signal;
}
