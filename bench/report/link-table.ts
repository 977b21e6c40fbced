/** Layers over one emulated link. */

import type { Link } from '../harness/protocol.ts';
import { median } from '../statistics.ts';
import type { Run } from '../harness/contestant-run.ts';
import {
  describeLink,
  orderedBound,
  orderedBoundOf,
  partsNeeded,
  sequentialBound,
} from './link-bound.ts';
import type { NamedRuns } from './layer-table.ts';
import { leftovers, quietness, speedOf } from './layer-table.ts';
import {
  formatMegabytes,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
  MEGABYTE,
} from './quantity.ts';
import type { Table } from './table.ts';

/** Belongs to every table with `formatWindow`. */
export const WINDOW_NOTE =
  'window: parts in flight at the end and at most, as reported; "start" where it stayed as it starts, - for others';

/** How many parts longshore had in flight at the end, and how many at most. */
export function formatWindow(runs: readonly Run[]): string {
  const values = (name: string): number[] => runs.flatMap(({ extra }) => extra?.[name] ?? []);
  if (values('resentBytes').length === 0) return '-';
  const ends = values('windowAtEnd');
  if (ends.length === 0) return 'start';
  return `${median(ends)} / ${Math.max(...values('windowMost'))}`;
}

/** @param contestants the one that the others are compared with first */
export function linkTable(
  link: Link,
  partSizeBytes: number,
  sizeBytes: number,
  contestants: readonly NamedRuns[],
): Table {
  const bound = orderedBound(link, partSizeBytes) / MEGABYTE;
  const finiteBound = orderedBoundOf(link, partSizeBytes, sizeBytes) / MEGABYTE;
  const reference = speedOf(contestants[0]?.runs ?? []).median;
  const rows = contestants.map(({ name, runs }) => {
    const speed = speedOf(runs);
    return [
      name,
      formatSpread(speed),
      formatRatio(speed.median / reference),
      formatShare(speed.median / bound),
      formatShare(speed.median / finiteBound),
      formatWindow(runs),
      formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
    ];
  });
  const mib = partSizeBytes / 2 ** 20;
  return {
    title: `One layer of ${formatMegabytes(sizeBytes)}, ${mib} MiB parts: ${describeLink(link)}`,
    columns: [
      'contestant',
      'MB/s',
      'vs first',
      'of bound',
      "of this layer's",
      'window end/most',
      'peak RSS',
    ],
    rows,
    notes: [
      `bound: part size / (service time + mean round trip) = ${formatNumber(bound)} MB/s, as parts are served one after another; for a layer this long, with its first part's way and the calls around, ${formatNumber(finiteBound)} MB/s; a client that sends one part at a time reaches ${formatNumber(sequentialBound(link, partSizeBytes) / MEGABYTE)} MB/s`,
      `by the same formula ${partsNeeded(link, partSizeBytes)} parts in flight are enough; partsInFlight is the most that may be, the window is what longshore made of it`,
      WINDOW_NOTE,
      quietness(contestants),
      ...leftovers(contestants),
    ],
  };
}
