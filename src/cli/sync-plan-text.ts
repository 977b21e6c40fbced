/** What `longshore sync --dry-run` prints: each tag with what would happen and why, and the sums. */

import { EXIT_DONE, EXIT_FAILED, EXIT_PARTLY_FAILED } from './exit-code.ts';
import { digestLabel } from './progress/layer-ledger.ts';
import { formatBytes, formatDuration, plural } from './progress/quantity-format.ts';
import { columnsOf, printable } from './progress/text-fit.ts';
import type { PlannedSyncTag, PlannedSyncTarget, SyncPlan, SyncReason } from './sync-functions.ts';

const REASON: { readonly [Reason in SyncReason]: string } = {
  new: 'new',
  moved: 'moved',
  unchanged: 'unchanged',
  kept: 'never moves, and is there',
  filtered: 'filtered',
  'immutable-conflict': 'the target does not let it move',
  unreadable: 'could not be read',
};
/** A longer tag or name only shifts its own line. */
const COLUMN_MAX = 40;

export interface PlanTextOptions {
  /** Lists also tags that a filter keeps away. */
  readonly all: boolean;
  /** For heads. */
  readonly bold: (text: string) => string;
}

export function syncPlanText(plan: SyncPlan, options: PlanTextOptions): string {
  const groups = [...bySource(plan.tags)];
  const lines = [
    ...groups.flatMap(([source, tags]) => [...groupLines(source, tags, options), '']),
    sumLine(plan),
    ...plan.targets.flatMap((target) => targetLines(target, options.bold)),
  ];
  return `${lines.join('\n')}\n`;
}

/** For people: that nothing was done. */
export function syncPlanSummary(plan: SyncPlan): string[] {
  const isDone = plan.tags.every(({ action }) => action === 'skip');
  return [isDone ? 'dry run: there is nothing to copy' : 'dry run: nothing was copied'];
}

/** What cannot be copied would fail as well in a run. */
export function exitCodeOfPlan({ tags }: SyncPlan): number {
  const failCount = tags.filter(({ action }) => action === 'fail').length;
  if (failCount === 0) return EXIT_DONE;
  // What nobody wanted is no success.
  const isFine = tags.some(({ action, reason }) => action !== 'fail' && reason !== 'filtered');
  return isFine ? EXIT_PARTLY_FAILED : EXIT_FAILED;
}

/** In the order in which the sources come first. */
function bySource(tags: readonly PlannedSyncTag[]): Map<string, PlannedSyncTag[]> {
  const groups = new Map<string, PlannedSyncTag[]>();
  for (const tag of tags) {
    const group = groups.get(tag.source);
    if (group === undefined) groups.set(tag.source, [tag]);
    else group.push(tag);
  }
  return groups;
}

function groupLines(
  source: string,
  tags: readonly PlannedSyncTag[],
  { all, bold }: PlanTextOptions,
): string[] {
  const shown = all ? tags : tags.filter(({ reason }) => reason !== 'filtered');
  const hiddenCount = tags.length - shown.length;
  const rows = shown.map((tag) => [
    printable(tag.tag),
    printable([tag.target, tag.repository].filter((name) => name !== undefined).join('/') || '-'),
    tag.action,
    whyOf(tag),
  ]);
  const hidden = hiddenCount === 0 ? [] : [`  ${plural(hiddenCount, 'tag')} filtered`];
  return [bold(printable(source)), ...table(rows), ...hidden];
}

function whyOf(tag: PlannedSyncTag): string {
  const { action, reason, detail, code } = tag;
  // What went wrong says more than that something did.
  if (action === 'fail' && detail !== undefined) return `${printable(detail)} (${String(code)})`;
  const text = changeOf(tag) ?? REASON[reason];
  const because = detail === undefined ? '' : `: ${printable(detail)}`;
  return `${text}${because}${code === undefined ? '' : ` (${code})`}`;
}

function changeOf({ action, reason, previousDigest }: PlannedSyncTag): string | undefined {
  if (reason === 'moved' && previousDigest !== undefined) {
    return `moved, was ${digestLabel(previousDigest)}`;
  }
  const isLookedThrough = reason === 'unchanged' && action === 'copy';
  return isLookedThrough ? 'unchanged, but what refers to it may be new' : undefined;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) =>
    Math.min(COLUMN_MAX, Math.max(0, ...rows.map((row) => columnsOf(row[column] ?? '')))),
  );
  const pad = (cell: string, column: number): string =>
    cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - columnsOf(cell)));
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}

/** `1204 tags: 12 to copy, 1180 to skip (8 filtered), 4 that cannot be copied`. */
function sumLine({ tags }: SyncPlan): string {
  const countOf = (action: PlannedSyncTag['action']): number =>
    tags.filter((tag) => tag.action === action).length;
  const filteredCount = tags.filter(({ reason }) => reason === 'filtered').length;
  const filtered = filteredCount === 0 ? '' : ` (${filteredCount} filtered)`;
  const failCount = countOf('fail');
  const fail = failCount === 0 ? '' : `, ${failCount} that cannot be copied`;
  return (
    `${plural(tags.length, 'tag')}: ${countOf('copy')} to copy, ` +
    `${countOf('skip')} to skip${filtered}${fail}`
  );
}

function targetLines(target: PlannedSyncTarget, bold: (text: string) => string): string[] {
  const calls = Object.entries(target.calls).filter(([, count]) => count > 0);
  const callCount = calls.reduce((sum, [, count]) => sum + count, 0);
  return [
    '',
    bold(printable(target.target)),
    blobLine(target.uploadBlobCount, 'upload', target.uploadBytes),
    blobLine(target.mountBlobCount, 'mount', target.mountBytes),
    `  ${plural(callCount, 'call')}, for which the quotas alone take ${quotaText(target.quotaMs)}`,
    ...calls.map(([operation, count]) => `    ${operation} ${count}`),
  ];
}

function quotaText(quotaMs: number): string {
  return quotaMs < 1000 ? 'less than 1 s' : formatDuration(quotaMs);
}

function blobLine(blobCount: number, what: 'upload' | 'mount', sizeBytes: number): string {
  if (blobCount === 0) return `  nothing to ${what}`;
  return `  ${plural(blobCount, 'blob')} to ${what}, ${formatBytes(sizeBytes)}`;
}
