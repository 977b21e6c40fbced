/** The library's bulk sync, as far as the command line uses it. */

import type { SyncConfig } from '../sync/sync-config.ts';
import type { SyncEvent } from '../sync/sync-events.ts';
import type { SyncOptions } from '../sync/sync-options.ts';
import type { SyncPlan } from '../sync/sync-plan.ts';
import type { SyncReport } from '../sync/sync-report.ts';

export type { SyncConfig } from '../sync/sync-config.ts';
export type { SyncEvent, SyncProgress } from '../sync/sync-events.ts';
export type { SyncOptions } from '../sync/sync-options.ts';
export type {
  PlannedSyncTag,
  PlannedSyncTarget,
  SyncEntryName,
  SyncPlan,
  SyncReason,
} from '../sync/sync-plan.ts';
export type { SyncReport, SyncReportTag } from '../sync/sync-report.ts';

export interface ImportedConfig {
  /** YAML as `readSyncConfig` takes it. */
  readonly text: string;
  /** What could not be taken over as it is. */
  readonly notes: readonly string[];
}

export interface SyncFunctions {
  readonly readSyncConfig: (path: string) => Promise<SyncConfig>;
  readonly importSkopeo: (text: string) => ImportedConfig;
  readonly importRegsync: (text: string) => ImportedConfig;
  readonly planSync: (config: SyncConfig, options?: SyncOptions) => Promise<SyncPlan>;
  readonly runSync: (
    config: SyncConfig,
    options?: SyncOptions,
  ) => AsyncGenerator<SyncEvent, SyncReport, void>;
}
