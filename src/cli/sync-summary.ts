/** What a sync tells people at its end: counts, bytes, calls, and the first failures with what to do. */

import { formatBytes, formatDuration, plural } from './progress/quantity-format.ts';
import { entryText } from './progress/sync-remarks.ts';
import { printable } from './progress/text-fit.ts';
import type { SyncReport, SyncReportTag } from './sync-functions.ts';

const FAILURES_LISTED_MAX = 20;

/** For machines and short logs: `partial copied=12 skipped=1188 failed=3 not-started=1`. */
export function syncLine({ outcome, counts }: SyncReport): string {
  const texts = (['copied', 'skipped', 'failed', 'not-started'] as const).map(
    (status) => `${status}=${counts[status]}`,
  );
  return `${[outcome, ...texts].join(' ')}\n`;
}

/** For people, without line feeds. */
export function syncSummary(report: SyncReport): string[] {
  return [countLine(report), bytesLine(report), callsLine(report), ...sourceLines(report)];
}

/**
 * What went wrong, and how to try it again; empty if nothing did.
 * @param again the command line that does, if there is a report file to name
 */
export function failureLines(report: SyncReport, again: string | undefined): string[] {
  const { counts, tags } = report;
  const failed = tags.filter(({ status }) => status === 'failed');
  const undoneCount = counts.failed + counts['not-started'];
  if (undoneCount === 0) return [];
  const more = failed.length - FAILURES_LISTED_MAX;
  return [
    ...(failed.length === 0 ? [] : ['failed:']),
    ...failed.slice(0, FAILURES_LISTED_MAX).flatMap(failureOf),
    ...(more > 0 ? [`  and ${more} more`] : []),
    again === undefined
      ? 'to try only these again, have a --report FILE written and pass it as --only-failed FILE'
      : `to try only these again: ${again}`,
  ];
}

function failureOf(tag: SyncReportTag): string[] {
  const { code = 'E_UNEXPECTED', message = tag.detail ?? tag.reason } = tag.error ?? {};
  // A message may list choices, one a line.
  const lines = message.split('\n').map((line) => `    ${printable(line)}`);
  return [`  ${code} ${entryText(tag)}`, ...lines];
}

/** `1204 tags: 12 copied; 1188 skipped (1150 unchanged, 30 kept, 8 filtered); 3 failed`. */
function countLine({ counts, tags }: SyncReport): string {
  const sum = Object.values(counts).reduce((total, count) => total + count, 0);
  const reasons = (['unchanged', 'kept', 'filtered'] as const).flatMap((reason) => {
    const count = tags.filter((tag) => tag.status === 'skipped' && tag.reason === reason).length;
    return count === 0 ? [] : [`${count} ${reason}`];
  });
  const skipped = counts.skipped === 0 ? '' : `${counts.skipped} skipped`;
  const texts = [
    `${counts.copied} copied`,
    reasons.length === 0 ? skipped : `${skipped} (${reasons.join(', ')})`,
    counts.failed === 0 ? '' : `${counts.failed} failed`,
    counts['not-started'] === 0 ? '' : `${counts['not-started']} not started`,
  ].filter((text) => text !== '');
  return `${plural(sum, 'tag')}: ${texts.join('; ')}`;
}

/** `1.20 GB sent in 34 blobs; 3.40 GB mounted in 120 blobs, which saved 74%`. */
function bytesLine({ targets }: SyncReport): string {
  const sum = (of: (target: SyncReport['targets'][number]) => number): number =>
    targets.reduce((total, target) => total + of(target), 0);
  const sentBytes = sum((target) => target.uploadedBytes);
  const mountedBytes = sum((target) => target.mountedBytes);
  const refusedCount = sum((target) => target.mountsRefusedCount);
  const sent =
    sentBytes === 0
      ? 'nothing sent'
      : `${formatBytes(sentBytes)} sent in ${plural(
          sum((target) => target.uploadedBlobCount),
          'blob',
        )}`;
  const mounted =
    mountedBytes === 0
      ? ''
      : `; ${formatBytes(mountedBytes)} mounted in ${plural(
          sum((target) => target.mountedBlobCount),
          'blob',
        )}, which saved ${Math.floor((mountedBytes / (sentBytes + mountedBytes)) * 100)}%`;
  const refused =
    refusedCount === 0 ? '' : `; ${plural(refusedCount, 'mount')} refused and sent instead`;
  return `${sent}${mounted}${refused}`;
}

function callsLine({ targets, durationMs }: SyncReport): string {
  const callCount = targets
    .flatMap(({ calls }) => Object.values(calls))
    .reduce((total, count) => total + count, 0);
  const throttled = targets.reduce((total, target) => total + target.throttledCallCount, 0);
  const text = throttled === 0 ? 'none throttled' : `${throttled} throttled`;
  return `${plural(callCount, 'call')} in ${formatDuration(durationMs)}, ${text}`;
}

/** `docker.io: 1.20 GB read in 412 requests; paused for 12:03`. */
function sourceLines({ sources }: SyncReport): string[] {
  return sources.map(({ registry, blobBytes, duplicateBlobBytes, requestCount, pausedMs }) => {
    const twice =
      duplicateBlobBytes === 0 ? '' : `, ${formatBytes(duplicateBlobBytes)} of it twice`;
    const paused = pausedMs === 0 ? '' : `; paused for ${formatDuration(pausedMs)}`;
    return (
      `${printable(registry)}: ${formatBytes(blobBytes)} read${twice} in ` +
      `${plural(requestCount, 'request')}${paused}`
    );
  });
}
