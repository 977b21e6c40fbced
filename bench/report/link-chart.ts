/** Charts of layers over an emulated link. */

import type { Link } from '../harness/protocol.ts';
import type { BarChart, LineChart, Series } from './chart.ts';
import { exactly, roleOf } from './chart.ts';
import { describeLink, orderedBoundOf } from './link-bound.ts';
import type { NamedRuns } from './layer-table.ts';
import { speedOf } from './layer-table.ts';
import { MEGABYTE } from './quantity.ts';

const MIB: number = 2 ** 20;

/** Contestants beside what a layer of this size can reach. */
export function linkChart(
  link: Link,
  partSizeBytes: number,
  sizeBytes: number,
  contestants: readonly NamedRuns[],
): BarChart {
  const bound = orderedBoundOf(link, partSizeBytes, sizeBytes) / MEGABYTE;
  return {
    kind: 'bars',
    title: `${partSizeBytes / MIB} MiB parts; ${describeLink(link)}`,
    quantity: 'layer MB per second',
    bars: [
      ...contestants.map(({ name, runs }) => ({
        name,
        role: roleOf(name),
        spread: speedOf(runs),
      })),
      { name: 'bound', role: 'bound', spread: exactly(bound) },
    ],
  };
}

export interface Sweep {
  readonly partSizeBytes: number;
  readonly windows: readonly number[];
  /** One more before the windows' and one more behind them. */
  readonly contestants: readonly NamedRuns[];
}

/** Speed against parts in flight, a line for each size of part, and the bound that it nears. */
export function sweepChart(link: Link, partCount: number, sweeps: readonly Sweep[]): LineChart {
  return {
    kind: 'lines',
    title: 'Where more parts in flight stop helping',
    setting: 'parts in flight',
    quantity: 'layer MB per second',
    series: sweeps.flatMap(({ partSizeBytes, windows, contestants }): Series[] => {
      const bound = orderedBoundOf(link, partSizeBytes, partSizeBytes * partCount) / MEGABYTE;
      const mib = partSizeBytes / MIB;
      return [
        {
          name: `longshore, ${mib} MiB parts`,
          role: 'longshore',
          points: windows.map((x, index) => ({
            x,
            spread: speedOf(contestants[index + 1]?.runs ?? []),
          })),
        },
        {
          name: `bound, ${mib} MiB parts`,
          role: 'bound',
          points: windows.map((x) => ({ x, spread: exactly(bound) })),
        },
      ];
    }),
  };
}
