/** Where more parts in flight stop helping. */

import type { Link } from '../harness/protocol.ts';
import { describeLink, orderedBoundOf, partsNeeded } from './link-bound.ts';
import type { Sweep } from './link-chart.ts';
import { formatWindow, WINDOW_NOTE } from './link-table.ts';
import { quietness, speedOf } from './layer-table.ts';
import { formatNumber, formatShare, MEGABYTE } from './quantity.ts';
import type { Table } from './table.ts';

const MIB: number = 2 ** 20;
/** A window helps as long as the widest one is faster by more. */
const SAME_SHARE = 0.97;

/** A row for each size of part: the share of its bound with each window, and what sufficed. */
export function sweepTable(link: Link, partCount: number, sweeps: readonly Sweep[]): Table {
  const windows = sweeps[0]?.windows ?? [];
  return {
    title: `Where more parts in flight stop helping: ${describeLink(link)}`,
    columns: [
      'part size',
      'bound MB/s',
      ...windows.map((window) => `at most ${window}`),
      'defaults',
      'window end/most',
      'enough',
      'by formula',
    ],
    rows: sweeps.map(({ partSizeBytes, contestants }) => {
      const bound = orderedBoundOf(link, partSizeBytes, partSizeBytes * partCount) / MEGABYTE;
      const shares = windows.map(
        (_, index) => speedOf(contestants[index + 1]?.runs ?? []).median / bound,
      );
      const byDefault = contestants[windows.length + 1]?.runs ?? [];
      const best = Math.max(...shares);
      const enough = shares.findIndex((share) => share >= best * SAME_SHARE);
      return [
        `${partSizeBytes / MIB} MiB`,
        formatNumber(bound),
        ...shares.map(formatShare),
        formatShare(speedOf(byDefault).median / bound),
        formatWindow(byDefault),
        String(windows[enough] ?? '-'),
        String(partsNeeded(link, partSizeBytes)),
      ];
    }),
    notes: [
      `a layer of ${partCount} parts each; shares of what a layer this long can reach`,
      'enough: the smallest of these windows that is within 3 % of the fastest; by formula: (wire time + service time + round trip) / (service time + round trip), rounded up',
      WINDOW_NOTE,
      quietness(sweeps.flatMap(({ contestants }) => contestants)),
    ],
  };
}
