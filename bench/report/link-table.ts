/** The table of the `link` scenario. */

import type { Link } from '../harness/protocol.ts';
import { median } from '../statistics.ts';
import { describeLink, orderedBound, orderedBoundOf, sequentialBound } from './link-bound.ts';
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
      formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
    ];
  });
  const mib = partSizeBytes / 2 ** 20;
  return {
    title: `One layer of ${formatMegabytes(sizeBytes)}, ${mib} MiB parts: ${describeLink(link)}`,
    columns: ['contestant', 'MB/s', 'vs first', 'of bound', 'with first part', 'peak RSS'],
    rows,
    notes: [
      `parts are taken one after another: bound = part size / (service time + mean round trip) = ${formatNumber(bound)} MB/s, for a layer this long and its first part's way ${formatNumber(finiteBound)} MB/s; a client that sends one part at a time reaches ${formatNumber(sequentialBound(link, partSizeBytes) / MEGABYTE)} MB/s`,
      quietness(contestants),
      ...leftovers(contestants),
    ],
  };
}
