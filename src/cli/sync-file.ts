/** The file that a sync is told by. */

import { LongshoreError } from '../index.ts';
import type { SyncConfig, SyncFunctions } from './sync-functions.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError if it cannot be read: nothing was begun; LongshoreError E_CONFIG_INVALID */
export async function readSyncFile(sync: SyncFunctions, file: string): Promise<SyncConfig> {
  try {
    return await sync.readSyncConfig(file);
  } catch (error) {
    if (!LongshoreError.is(error, 'E_SOURCE_UNREADABLE')) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
