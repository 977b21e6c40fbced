/** The library's bulk sync, as far as the command line uses it. */

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

export type SyncFunctions = Pick<
  typeof import('../sync/index.ts'),
  'importRegsync' | 'importSkopeo' | 'planSync' | 'readSyncConfig' | 'runSync'
>;
