/** The report of a sync that was stopped at once: what its events had told by then. */

import type {
  PlannedSyncTag,
  SyncEntryName,
  SyncEvent,
  SyncReport,
  SyncReportTag,
} from './sync-functions.ts';

/** Keeps what the report keeps, tag by tag, so it takes as much memory. */
export class UnfinishedReport {
  readonly #startedAt = new Date();
  readonly #tags = new Map<string, SyncReportTag>();

  record(event: SyncEvent): void {
    if (event.type === 'tag-planned') this.#tags.set(keyOf(event.tag), notStarted(event.tag));
    if (event.type === 'tag-completed') this.#tags.set(keyOf(event.tag), event.tag);
  }

  /** Of targets and sources nothing is known but what the tags say. */
  report(): SyncReport {
    const tags = [...this.#tags.values()];
    const counts = { copied: 0, skipped: 0, failed: 0, 'not-started': 0 };
    for (const { status } of tags) counts[status] += 1;
    return {
      version: 1,
      startedAt: this.#startedAt.toISOString(),
      durationMs: Math.max(0, Date.now() - this.#startedAt.getTime()),
      outcome: 'interrupted',
      counts,
      tags,
      targets: [],
      sources: [],
    };
  }
}

function keyOf({ mapping, source, tag, target, repository }: SyncEntryName): string {
  return JSON.stringify([mapping, source, tag, target, repository]);
}

function notStarted(planned: PlannedSyncTag): SyncReportTag {
  const { mapping, source, tag, target, repository, reason, detail, sourceDigest } = planned;
  return {
    mapping,
    source,
    tag,
    target,
    repository,
    reason,
    detail,
    sourceDigest,
    status: 'not-started',
    digest: planned.previousDigest,
    uploadedBytes: 0,
    mountedBytes: 0,
    callCount: 0,
    durationMs: 0,
    error: undefined,
  };
}
