/** The table of the `layer` scenario: every contestant beside the plain SDK and beside its floor. */

import type { Run, Task } from '../harness/contestant-run.ts';
import { isDisturbed } from '../harness/fair-rounds.ts';
import type { Spread } from '../statistics.ts';
import { median, spreadOf } from '../statistics.ts';
import {
  formatMegabytes,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
  MEGABYTE,
} from './quantity.ts';
import type { Table } from './table.ts';

export interface NamedRuns {
  readonly name: string;
  readonly runs: readonly Run[];
}

const COLUMNS = [
  'contestant',
  'layer MB per CPU-s',
  'vs SDK',
  'of floor',
  'CPU ms a part',
  'MB/s wall',
  'vs SDK',
  'of writer',
  'peak RSS',
  'before',
  'loop p50/p99/max ms',
  'server CPU ms a part',
];

/**
 * @param contestants the plain SDK first, the bare writer last
 * @param stages what preparing costs when each stage is measured alone
 * @param starts some of the contestants, the plain SDK first, with next to nothing to send
 */
export function layerTable(
  label: string,
  task: Task,
  contestants: readonly NamedRuns[],
  stages: Run,
  starts: readonly NamedRuns[] = [],
): Table {
  const partCount = partCountOf(task);
  const totalBytes = task.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const writerRuns = contestants.at(-1)?.runs ?? [];
  const floorCpuMs = floorMs(writerRuns, stages);
  const reference = contestants[0]?.runs ?? [];

  const rows = contestants.map(({ name, runs }) => {
    const isFloor = runs === writerRuns;
    const economy = spreadOf(runs.map((run) => totalBytes / MEGABYTE / (cpuMs(run) / 1000)));
    const speed = speedOf(runs);
    const cpu = median(runs.map(cpuMs));
    return [
      name,
      formatSpread(economy),
      formatRatio(median(reference.map(cpuMs)) / cpu),
      isFloor ? '-' : formatShare(floorCpuMs / cpu),
      formatNumber(cpu / partCount),
      formatSpread(speed),
      formatRatio(speed.median / speedOf(reference).median),
      isFloor ? '-' : formatShare(speed.median / speedOf(writerRuns).median),
      formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
      formatMegabytes(median(runs.map(({ rssBeforeBytes }) => rssBeforeBytes))),
      formatLoopDelay(runs),
      formatNumber(median(runs.map(({ serverCpuMs }) => serverCpuMs)) / partCount),
    ];
  });

  return {
    title: `${label}: ${formatMegabytes(totalBytes)} in ${task.layers.length} layers`,
    columns: COLUMNS,
    rows,
    notes: [
      `medians of ${reference.length} counted runs, interleaved, and (min-max); MB is 10^6 bytes of layer`,
      `CPU floor: ${formatNumber(floorCpuMs / partCount)} ms a part = ${formatStages(stages, partCount)}, ` +
        `bare writer ${formatNumber(median(writerRuns.map(cpuMs)) / partCount)} ms; ` +
        `${formatNumber(totalBytes / MEGABYTE / (floorCpuMs / 1000))} MB per CPU-s`,
      ...startNotes(contestants, starts),
      'CPU counts all threads of the process, start and end of its threads and connections included; the loop delay is that of its main thread',
      quietness(contestants),
      ...leftovers(contestants),
    ],
  };
}

/** What of the CPU time is spent whatever the layers' size. */
function startNotes(contestants: readonly NamedRuns[], starts: readonly NamedRuns[]): string[] {
  const costs = starts.map(({ name, runs }) => {
    const whole = contestants.find((contestant) => contestant.name === name)?.runs ?? runs;
    return { name, startMs: median(runs.map(cpuMs)), wholeMs: median(whole.map(cpuMs)) };
  });
  const [reference, ...others] = costs;
  if (reference === undefined) return [];
  const parts = costs.map(
    ({ name, startMs, wholeMs }) =>
      `${name} ${formatNumber(startMs)} ms CPU, ${formatShare(startMs / wholeMs)} of its whole`,
  );
  const besides = ({ startMs, wholeMs }: (typeof costs)[number]): number => wholeMs - startMs;
  const ratios = others.map(
    (other) => `${other.name} ${formatRatio(besides(reference) / besides(other))}`,
  );
  return [
    `start: ${parts.join('; ')} (as many layers of 64 KiB); vs SDK without it: ${ratios.join(', ')}`,
  ];
}

/** CPU time of nothing but the unavoidable stages and the bare writer. */
export function floorMs(writerRuns: readonly Run[], stages: Run): number {
  const prepareMs = Object.values(stages.extra ?? {}).reduce((sum, ms) => sum + ms, 0);
  return prepareMs + median(writerRuns.map(cpuMs));
}

/** p50 / p99 / max, each the median of the runs. */
export function formatLoopDelay(runs: readonly Run[]): string {
  return [
    runs.map(({ loopDelayP50Ms }) => loopDelayP50Ms),
    runs.map(({ loopDelayP99Ms }) => loopDelayP99Ms),
    runs.map(({ loopDelayMaxMs }) => loopDelayMaxMs),
  ]
    .map((values) => formatNumber(median(values)))
    .join(' / ');
}

/** Layer bytes a second of wall time. */
export function speedOf(runs: readonly Run[]): Spread {
  return spreadOf(runs.map(({ layerBytes, wallMs }) => layerBytes / MEGABYTE / (wallMs / 1000)));
}

export function cpuMs({ cpuUserMs, cpuSystemMs }: Pick<Run, 'cpuUserMs' | 'cpuSystemMs'>): number {
  return cpuUserMs + cpuSystemMs;
}

/** How quiet the machine was. */
export function quietness(contestants: readonly NamedRuns[]): string {
  const runs = contestants.flatMap((contestant) => contestant.runs);
  const shares = spreadOf(runs.map(({ foreignShare }) => foreignShare));
  const count = runs.filter(isDisturbed).length;
  const verdict =
    count === 0 ? '' : `: PROVISIONAL, ${count} of ${runs.length} runs were disturbed`;
  return `other programs took ${formatShare(shares.median)} of the cores (at most ${formatShare(shares.max)})${verdict}`;
}

/** A sentence for each contestant whose process did not end by itself. */
export function leftovers(contestants: readonly NamedRuns[]): string[] {
  return contestants
    .filter(({ runs }) => runs.some(({ endedByItself }) => !endedByItself))
    .map(({ name }) => `${name} left something open: its process did not end by itself`);
}

function partCountOf({ layers, partSizeBytes = Number.NaN }: Task): number {
  return layers.reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / partSizeBytes), 0);
}

function formatStages({ extra = {} }: Run, partCount: number): string {
  const name = (key: string): string =>
    key.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return Object.entries(extra)
    .map(([key, ms]) => `${name(key)} ${formatNumber(ms / partCount)} ms`)
    .join(' + ');
}
