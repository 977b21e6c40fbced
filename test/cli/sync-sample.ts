/** Reports, plans and events of a sync that never was. */

import type { Digest } from '../../src/index.ts';
import type {
  PlannedSyncTag,
  PlannedSyncTarget,
  SyncEvent,
  SyncProgress,
  SyncReport,
  SyncReportTag,
} from '../../src/cli/sync-functions.ts';

const STARTED_AT = '2026-11-24T12:00:00.000Z';

export function digestOf(index: number): Digest {
  return `sha256:${index.toString(16).padStart(12, '0')}${'0'.repeat(52)}`;
}

const NAME = {
  mapping: 0,
  source: 'docker.io/library/nginx',
  target: 'prod',
  repository: 'mirror/nginx',
};

export function reportTag(
  tag: string,
  status: SyncReportTag['status'],
  more: Partial<SyncReportTag> = {},
): SyncReportTag {
  return {
    ...NAME,
    tag,
    status,
    reason: status === 'skipped' ? 'unchanged' : 'new',
    detail: undefined,
    sourceDigest: digestOf(1),
    digest: status === 'copied' ? digestOf(1) : undefined,
    uploadedBytes: 0,
    mountedBytes: 0,
    callCount: 3,
    durationMs: 12,
    error: undefined,
    ...more,
  };
}

export function failedTag(tag: string, more: Partial<SyncReportTag> = {}): SyncReportTag {
  const error = {
    code: 'E_SOURCE_DENIED',
    message: 'the registry refuses to give it',
    retryable: false,
  } as const;
  return reportTag(tag, 'failed', { error, ...more });
}

const TARGET: SyncReport['targets'][number] = {
  target: 'prod',
  uploadedBlobCount: 34,
  uploadedBytes: 1_200_000_000,
  mountedBlobCount: 120,
  mountedBytes: 3_400_000_000,
  mountsRefusedCount: 0,
  calls: { BatchGetImage: 12, PutImage: 4 },
  throttledCallCount: 0,
};

export function reportOf(
  outcome: SyncReport['outcome'],
  tags: readonly SyncReportTag[],
  more: Partial<SyncReport> = {},
): SyncReport {
  const countOf = (status: SyncReportTag['status']): number =>
    tags.filter((tag) => tag.status === status).length;
  return {
    version: 1,
    startedAt: STARTED_AT,
    durationMs: 252_000,
    outcome,
    counts: {
      copied: countOf('copied'),
      skipped: countOf('skipped'),
      failed: countOf('failed'),
      'not-started': countOf('not-started'),
    },
    tags,
    targets: [TARGET],
    sources: [
      {
        registry: 'docker.io',
        requestCount: 412,
        blobBytes: 1_200_000_000,
        duplicateBlobBytes: 0,
        pausedMs: 0,
      },
    ],
    ...more,
  };
}

export function plannedTag(
  tag: string,
  reason: PlannedSyncTag['reason'],
  more: Partial<PlannedSyncTag> = {},
): PlannedSyncTag {
  const copied = reason === 'new' || reason === 'moved';
  const failed = reason === 'immutable-conflict' || reason === 'unreadable';
  return {
    ...NAME,
    tag,
    action: copied ? 'copy' : failed ? 'fail' : 'skip',
    reason,
    detail: undefined,
    sourceDigest: digestOf(1),
    previousDigest: undefined,
    code: undefined,
    ...more,
  };
}

export const PLANNED_TARGET: PlannedSyncTarget = {
  target: 'prod',
  uploadBlobCount: 34,
  uploadBytes: 1_200_000_000,
  mountBlobCount: 1,
  mountBytes: 3_400_000_000,
  calls: { BatchGetImage: 12, PutImage: 40, InitiateLayerUpload: 0 },
  quotaMs: 5000,
};

export function progressOf(more: Partial<SyncProgress> = {}): SyncEvent {
  return {
    type: 'sync-progress',
    progress: {
      imagesInFlight: 4,
      imagesDone: 312,
      imagesFailed: 0,
      imagesWaiting: 888,
      discovered: true,
      tagCount: 2000,
      uploadedBytes: 1_200_000_000,
      mountedBytes: 0,
      bytesPerSecond: 45_000_000,
      throttledCallCount: 0,
      remainingMs: 723_000,
      ...more,
    },
  };
}

export function completed(tag: SyncReportTag): SyncEvent {
  return { type: 'tag-completed', tag };
}

export const PAUSE: SyncEvent = {
  type: 'source-paused',
  registry: 'docker.io',
  resumesInMs: 723_000,
  message: 'its pull budget is used up',
};
