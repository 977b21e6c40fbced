/** What Ctrl-C means to a sync: the first finishes the images under way, the second stops at once. */

import type { CliContext } from './context.ts';
import { Interruption } from './error-report.ts';
import { watchInterruption } from './interruption.ts';

export interface SyncInterruption {
  /** Aborts with the first signal, and nothing new is begun. */
  readonly drainSignal: AbortSignal;
  /** Aborts with the second. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  stop(): void;
}

export function watchSyncInterruption(context: Pick<CliContext, 'signals'>): SyncInterruption {
  const drain = new AbortController();
  const end = new AbortController();
  const watch = watchInterruption(context, {
    first: () => drain.abort(new Interruption('stopped on request')),
    second: () => end.abort(new Interruption('stopped on request')),
  });
  return { drainSignal: drain.signal, signal: end.signal, stop: () => watch.stop() };
}
