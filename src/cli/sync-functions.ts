/** The library's bulk sync, as far as the command line uses it. */

import type { SyncConfig, SyncEvent, SyncOptions, SyncPlan, SyncReport } from '../sync/index.ts';

export type {
  PlannedSyncTag,
  PlannedSyncTarget,
  SyncConfig,
  SyncEvent,
  SyncOptions,
  SyncPlan,
  SyncProgress,
  SyncReason,
  SyncReport,
  SyncReportTag,
} from '../sync/index.ts';

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
