/** What shows people how a sync goes. */

import type { SyncEvent } from '../sync-functions.ts';

export interface SyncDisplay {
  /** To be passed each event. */
  record(event: SyncEvent): void;
  /** A line for people that stays. */
  say(line: string): void;
  /** Ends the display and gives the terminal back. Idempotent. */
  stop(): void;
}
