/** What a running sync tells. */

import type { SyncReport, SyncReportTag } from './sync-report.ts';
import type { PlannedSyncTag, SyncEntryName } from './sync-plan.ts';

/** Where a sync stands; one about every second. */
export interface SyncProgress {
  /** Images (digest, repository and target) under way, done and failed, and those known to wait. */
  readonly imagesInFlight: number;
  readonly imagesDone: number;
  readonly imagesFailed: number;
  readonly imagesWaiting: number;
  /** Whether every source has been looked at: only then the number of images is final. */
  readonly discovered: boolean;
  /** Tags looked at so far. */
  readonly tagCount: number;
  /** Layer bytes that targets have acknowledged. */
  readonly uploadedBytes: number;
  readonly mountedBytes: number;
  /** Over the last ten seconds or so. */
  readonly bytesPerSecond: number;
  readonly throttledCallCount: number;
  /** A guess from images done so far; `undefined` before there is ground for one. */
  readonly remainingMs: number | undefined;
}

export type SyncEvent =
  | {
      readonly type: 'repository-listed';
      readonly source: string;
      readonly tagCount: number;
      readonly keptCount: number;
    }
  | {
      readonly type: 'repository-failed';
      readonly source: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'tag-planned'; readonly tag: PlannedSyncTag }
  | ({ readonly type: 'image-started' } & SyncEntryName)
  /** One for each tag, also for those with nothing to do. */
  | { readonly type: 'tag-completed'; readonly tag: SyncReportTag }
  | {
      readonly type: 'blob-mounted';
      readonly target: string;
      readonly repository: string;
      readonly from: string;
      readonly digest: string;
      readonly sizeBytes: number;
    }
  | {
      readonly type: 'mount-refused';
      readonly target: string;
      readonly repository: string;
      readonly from: string;
      readonly digest: string;
    }
  /** A registry wants no more requests for now, for its limits. */
  | {
      readonly type: 'source-paused';
      readonly registry: string;
      readonly resumesInMs: number;
      readonly message: string;
    }
  | { readonly type: 'sync-progress'; readonly progress: SyncProgress }
  | { readonly type: 'sync-completed'; readonly report: SyncReport };
