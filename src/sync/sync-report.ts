/** How a sync ended, tag by tag: for machines, and for `--only-failed`. */

import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { SyncEntryName, SyncReason } from './sync-plan.ts';

/** What became of one tag. */
export interface SyncReportTag extends SyncEntryName {
  readonly status:
    | 'copied'
    /** It was there already, or a filter keeps it away; see `reason`. */
    | 'skipped'
    | 'failed'
    /** The sync was ended before it was done. */
    | 'not-started';
  readonly reason: SyncReason;
  readonly detail: string | undefined;
  readonly sourceDigest: Digest | undefined;
  /** What the target's tag points to now, as far as is known. */
  readonly digest: Digest | undefined;
  /** Sent for this image; tags of one image share what was sent, and the first of them has the numbers. */
  readonly uploadedBytes: number;
  readonly mountedBytes: number;
  /** Calls to ECR for this image. */
  readonly callCount: number;
  readonly durationMs: number;
  /** With `failed`. */
  readonly error:
    | {
        readonly code: ErrorCode | 'E_UNEXPECTED';
        readonly message: string;
        readonly retryable: boolean;
      }
    | undefined;
}

/** What one target took. */
export interface SyncReportTarget {
  readonly target: string;
  readonly uploadedBlobCount: number;
  readonly uploadedBytes: number;
  readonly mountedBlobCount: number;
  readonly mountedBytes: number;
  /** Images that ECR refused to mount a blob for; it was uploaded. */
  readonly mountsRefusedCount: number;
  /** Every attempt counted, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  readonly throttledCallCount: number;
}

/** What was read from one source registry. */
export interface SyncReportSource {
  readonly registry: string;
  readonly requestCount: number;
  /** Bytes of blobs. */
  readonly blobBytes: number;
  /** Of these, bytes that had been read before in this run. */
  readonly duplicateBlobBytes: number;
  /** Time in which the registry wanted no requests. */
  readonly pausedMs: number;
}

/** The report; `JSON.stringify` makes the file of it. */
export interface SyncReport {
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** `partial`: something failed or was not started, something else is done. */
  readonly outcome: 'done' | 'partial' | 'failed' | 'interrupted';
  readonly counts: Readonly<Record<SyncReportTag['status'], number>>;
  readonly tags: readonly SyncReportTag[];
  readonly targets: readonly SyncReportTarget[];
  readonly sources: readonly SyncReportSource[];
}
