/** What became of every tag, as it becomes known; the report in the end. */

import type { DeliveryOutcome } from './image-copy.ts';
import type { PlannedSyncTag } from './sync-plan.ts';
import type {
  SyncReport,
  SyncReportSource,
  SyncReportTag,
  SyncReportTarget,
} from './sync-report.ts';
import { failureFactsOf } from './tag-failure.ts';

const NOTHING_SENT = { uploadedBytes: 0, mountedBytes: 0, callCount: 0, durationMs: 0 };

export class SyncRecord {
  readonly #tags: (SyncReportTag | PlannedSyncTag)[] = [];
  /** Where a tag that is being copied stands in the list. */
  readonly #places = new Map<PlannedSyncTag, number>();

  get tagCount(): number {
    return this.#tags.length;
  }

  /** Tags that are to be copied, and of which the end is not known. */
  get openTagCount(): number {
    return this.#places.size;
  }

  /** @returns what became of it, where that is known already */
  planned(tag: PlannedSyncTag): SyncReportTag | undefined {
    const ended = tag.action === 'copy' ? undefined : endedBeforehand(tag);
    if (ended === undefined) this.#places.set(tag, this.#tags.length);
    this.#tags.push(ended ?? tag);
    return ended;
  }

  /**
   * All tags of one delivery have ended. Those that were stopped stay open.
   * @param begun as they were planned; `tags` as they were looked at last
   */
  delivered(
    begun: readonly PlannedSyncTag[],
    tags: readonly PlannedSyncTag[],
    outcome: DeliveryOutcome,
  ): readonly SyncReportTag[] {
    if (outcome.status === 'stopped') return [];
    return begun.map((tag, index) => {
      const ended = endedBy(tags[index] ?? tag, outcome, index === 0);
      const place = this.#places.get(tag);
      if (place !== undefined) this.#tags[place] = ended;
      this.#places.delete(tag);
      return ended;
    });
  }

  report(
    startedAtMs: number,
    durationMs: number,
    isInterrupted: boolean,
    targets: readonly SyncReportTarget[],
    sources: readonly SyncReportSource[],
  ): SyncReport {
    const tags = this.#tags.map((tag) => ('status' in tag ? tag : notStarted(tag)));
    const counts = { copied: 0, skipped: 0, failed: 0, 'not-started': 0 };
    for (const { status } of tags) counts[status] += 1;
    const startedAt = new Date(startedAtMs).toISOString();
    const outcome = isInterrupted ? 'interrupted' : outcomeOf(tags);
    return { version: 1, startedAt, durationMs, outcome, counts, tags, targets, sources };
  }
}

function outcomeOf(tags: readonly SyncReportTag[]): SyncReport['outcome'] {
  const isMissing = ({ status }: SyncReportTag): boolean =>
    status === 'failed' || status === 'not-started';
  if (!tags.some(isMissing)) return 'done';
  // What nobody wanted is no success.
  const isDone = (tag: SyncReportTag): boolean => !isMissing(tag) && tag.reason !== 'filtered';
  return tags.some(isDone) ? 'partial' : 'failed';
}

function endedBeforehand(tag: PlannedSyncTag): SyncReportTag {
  const { action, code } = tag;
  const message = tag.detail ?? 'it failed';
  const isFailed = action === 'fail';
  return {
    ...withoutPlan(tag),
    ...NOTHING_SENT,
    status: isFailed ? 'failed' : 'skipped',
    digest: tag.previousDigest,
    error: isFailed ? { code: code ?? 'E_UNEXPECTED', message, retryable: false } : undefined,
  };
}

function endedBy(
  tag: PlannedSyncTag,
  outcome: Exclude<DeliveryOutcome, { readonly status: 'stopped' }>,
  isFirst: boolean,
): SyncReportTag {
  const base = withoutPlan(tag);
  const { durationMs } = outcome;
  if (outcome.status === 'failed') {
    const error = failureFactsOf(outcome.error);
    const digest = tag.previousDigest;
    return { ...base, ...NOTHING_SENT, durationMs, status: 'failed', digest, error };
  }
  const { digest, uploadedBytes, mountedBytes, callCount } = outcome;
  const isUnchanged = outcome.status === 'unchanged';
  return {
    ...base,
    // It is only known now where platforms are chosen.
    ...(isUnchanged && { reason: 'unchanged' }),
    status: isUnchanged ? 'skipped' : 'copied',
    digest,
    ...(isFirst ? { uploadedBytes, mountedBytes, callCount } : NOTHING_SENT),
    durationMs,
    error: undefined,
  };
}

function notStarted(tag: PlannedSyncTag): SyncReportTag {
  const digest = tag.previousDigest;
  const status = 'not-started';
  return { ...withoutPlan(tag), ...NOTHING_SENT, status, digest, error: undefined };
}

function withoutPlan(
  tag: PlannedSyncTag,
): Pick<
  SyncReportTag,
  'mapping' | 'source' | 'tag' | 'target' | 'repository' | 'reason' | 'detail' | 'sourceDigest'
> {
  const { mapping, source, tag: name, target, repository, reason, detail, sourceDigest } = tag;
  return { mapping, source, tag: name, target, repository, reason, detail, sourceDigest };
}
