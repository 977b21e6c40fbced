/** What the registry room takes from the process and the clock; tests bring their own. */

import { homedir } from 'node:os';
import { abortableDelay } from '../abort.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  /** Milliseconds of a clock that only runs forward. */
  now(): number;
  /** 0 to 1, as `Math.random`. */
  random(): number;
  delay(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** The only place of the room that reads the process's environment. */
export function processSurroundings(): Surroundings {
  return {
    environment: process.env,
    homeDirectory: homedir(),
    now: () => performance.now(),
    random: Math.random,
    delay: abortableDelay,
  };
}
