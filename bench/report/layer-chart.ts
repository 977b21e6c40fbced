/** Charts and figures of contestants that sent the same layers. */

import type { Chart } from './chart.ts';
import { exactly, roleOf } from './chart.ts';
import type { Figure } from './figure.ts';
import { cost, gain } from './figure.ts';
import type { NamedRuns } from './layer-table.ts';
import { cpuMs, floorMs, speedOf } from './layer-table.ts';
import { MEGABYTE } from './quantity.ts';
import type { Run } from '../harness/contestant-run.ts';
import type { Spread } from '../statistics.ts';
import { spreadOf } from '../statistics.ts';

/** Layer bytes per second of CPU time, over the runs. */
function economyOf(runs: readonly Run[]): Spread {
  return spreadOf(runs.map((run) => run.layerBytes / MEGABYTE / (cpuMs(run) / 1000)));
}

/**
 * @param contestants the bare writer last
 * @param stages what preparing costs when each stage is measured alone
 */
export function layerCharts(
  label: string,
  contestants: readonly NamedRuns[],
  stages: Run,
): Chart[] {
  const floorSeconds = floorMs(contestants.at(-1)?.runs ?? [], stages) / 1000;
  const bars = (of: (runs: readonly Run[]) => Spread) =>
    contestants.map(({ name, runs }) => ({ name, role: roleOf(name), spread: of(runs) }));
  return [
    {
      kind: 'bars',
      title: `Economy: ${label}`,
      quantity: 'layer MB per second of client CPU',
      bars: [
        ...bars(economyOf).filter(({ role }) => role !== 'bound'),
        {
          name: 'floor: stages and writer',
          role: 'bound',
          spread: exactly(stages.layerBytes / MEGABYTE / floorSeconds),
        },
      ],
    },
    {
      kind: 'bars',
      title: `Speed: ${label}`,
      quantity: 'layer MB per second of wall time',
      bars: bars(speedOf),
    },
  ];
}

/** What is followed of each contestant from one result to the next. */
export function layerFigures(contestants: readonly NamedRuns[]): Figure[] {
  return contestants.flatMap(({ name, runs }) => [
    gain(
      `${name}: speed`,
      'MB/s',
      runs.map((run) => run.layerBytes / MEGABYTE / (run.wallMs / 1000)),
    ),
    cost(`${name}: CPU`, 'ms', runs.map(cpuMs)),
    cost(
      `${name}: peak RSS`,
      'MB',
      runs.map(({ rssPeakBytes }) => rssPeakBytes / MEGABYTE),
    ),
  ]);
}
