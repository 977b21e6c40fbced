export { parseSyncConfig, readSyncConfig } from './config-file.ts';
export type { ImportedConfig } from './config-draft.ts';
export { importRegsync } from './import-regsync.ts';
export { importSkopeo } from './import-skopeo.ts';
export { planSync } from './plan-sync.ts';
export { runSync } from './run-sync.ts';
export type { SyncOptions } from './sync-options.ts';
export type {
  SourceRegistrySettings,
  SyncConfig,
  SyncMapping,
  TagFilter,
  TargetSettings,
} from './sync-config.ts';
export type { SyncEvent, SyncProgress } from './sync-events.ts';
export type {
  PlannedSyncTag,
  PlannedSyncTarget,
  SyncEntryName,
  SyncPlan,
  SyncReason,
} from './sync-plan.ts';
export type {
  SyncReport,
  SyncReportSource,
  SyncReportTag,
  SyncReportTarget,
} from './sync-report.ts';
