/** What is said of a sync as it happens: failures and pauses, the first of them; the rest is counted. */

import type { SyncEvent, SyncReportTag } from '../sync-functions.ts';
import { formatDuration } from './quantity-format.ts';
import { printable } from './text-fit.ts';

const FAILURES_TOLD_MAX = 20;
const PAUSES_TOLD_MAX = 20;
const LAST_FAILURE = 'further failures are only counted';
const LAST_PAUSE = 'further pauses are not told';

export class SyncRemarks {
  #failureCount = 0;
  #pauseCount = 0;

  /** Lines for an event, none for most of them. */
  of(event: SyncEvent): readonly string[] {
    switch (event.type) {
      case 'source-paused': {
        this.#pauseCount += 1;
        const line =
          `${printable(event.registry)}: pauses for ${formatDuration(event.resumesInMs)}: ` +
          printable(event.message);
        return bounded(line, this.#pauseCount, PAUSES_TOLD_MAX, LAST_PAUSE);
      }
      case 'repository-failed':
        return this.#failure(
          `${printable(event.source)}: failed, ${printable(event.message)} (${event.code})`,
        );
      case 'tag-completed':
        // A star stands for a source, which was told of once, and not for each target.
        return event.tag.status === 'failed' && event.tag.tag !== '*'
          ? this.#failure(failureLine(event.tag))
          : [];
      default:
        return [];
    }
  }

  #failure(line: string): readonly string[] {
    this.#failureCount += 1;
    return bounded(line, this.#failureCount, FAILURES_TOLD_MAX, LAST_FAILURE);
  }
}

/** `docker.io/library/nginx:1.25 -> prod/mirror/nginx`. */
export function entryText({
  source,
  tag,
  target,
  repository,
}: Pick<SyncReportTag, 'source' | 'tag' | 'target' | 'repository'>): string {
  // A star stands for a source that could not be looked at.
  const from = tag === '*' ? source : `${source}:${tag}`;
  const to = [target, repository].filter((name) => name !== undefined).join('/');
  return printable(to === '' ? from : `${from} -> ${to}`);
}

function failureLine(tag: SyncReportTag): string {
  const { code = 'E_UNEXPECTED', message = tag.detail ?? tag.reason } = tag.error ?? {};
  return `${entryText(tag)}: failed, ${printable(message)} (${code})`;
}

function bounded(line: string, count: number, max: number, last: string): readonly string[] {
  if (count > max) return [];
  return count === max ? [line, last] : [line];
}
