/** What shows people how an upload goes: bars on a terminal, lines elsewhere, or nothing. */

import type { ProgressEvent } from './progress-model.ts';

export interface ProgressDisplay {
  /** To be passed each event. */
  record(event: ProgressEvent): void;
  /** A line for people that stays, such as a warning. */
  say(line: string): void;
  /** Ends the display and gives the terminal back. Idempotent. */
  stop(): void;
}
