/** Chooses how a sync is shown: one live line on a terminal, plain lines elsewhere, or nothing. */

import type { CliContext } from '../context.ts';
import type { ProgressKind } from './progress-start.ts';
import type { SyncDisplay } from './sync-display.ts';
import { SyncLineDisplay } from './sync-line-display.ts';
import { SyncLiveDisplay } from './sync-live-display.ts';

export function startSyncDisplay(
  context: Pick<CliContext, 'env' | 'platform' | 'stderr' | 'now' | 'onExit'>,
  kind: ProgressKind,
): SyncDisplay {
  if (kind === 'none') return SILENT;
  return kind === 'bars' ? new SyncLiveDisplay(context) : new SyncLineDisplay(context);
}

const SILENT: SyncDisplay = {
  record: () => undefined,
  say: () => undefined,
  stop: () => undefined,
};
