/** The tables of the `many` scenario. */

import type { Run } from '../harness/contestant-run.ts';
import type { LayerFile } from '../harness/protocol.ts';
import type { Section } from '../scenario.ts';
import { median, spreadOf } from '../statistics.ts';
import { roleOf } from './chart.ts';
import { cost, gain } from './figure.ts';
import type { NamedRuns } from './layer-table.ts';
import { cpuMs, leftovers, quietness } from './layer-table.ts';
import { quotaBound } from './link-bound.ts';
import { formatMegabytes, formatNumber, formatShare, formatSpread } from './quantity.ts';

/** The part that ECR asks for: each of these layers has one. */
const PART_SIZE_BYTES: number = 10 * 2 ** 20;

/** @param label whether the server counts calls */
export function manySection(
  label: string,
  layers: readonly LayerFile[],
  contestants: readonly NamedRuns[],
): Section {
  const [first] = layers;
  const title = `${layers.length} layers of ${(first?.sizeBytes ?? 0) / 1024} KiB, ${label}`;
  const boundSeconds = quotaBound(layers, PART_SIZE_BYTES);
  const cpuOfLayer = (runs: readonly Run[]): number[] =>
    runs.map((run) => cpuMs(run) / layers.length);
  return {
    table: {
      title,
      columns: [
        'contestant',
        'wall ms',
        'quota bound / wall',
        'calls',
        'throttled',
        'calls/s',
        'idle',
        'longest gap ms',
        'CPU ms a layer',
        'peak RSS',
      ],
      rows: contestants.map(({ name, runs }) => [
        name,
        formatSpread(spreadOf(runs.map(({ wallMs }) => wallMs))),
        formatShare((boundSeconds * 1000) / median(runs.map(({ wallMs }) => wallMs))),
        formatNumber(median(runs.map(({ activity }) => activity.callCount))),
        formatNumber(median(runs.map(({ activity }) => activity.throttledCount))),
        formatSpread(spreadOf(runs.map(callsPerSecond))),
        formatShare(median(runs.map(({ activity }) => activity.idleMs / activity.spanMs))),
        formatNumber(median(runs.map(({ activity }) => activity.longestIdleMs))),
        formatSpread(spreadOf(cpuOfLayer(runs))),
        formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
      ]),
      notes: [
        `quota bound: ${formatNumber(boundSeconds)} s for 100 Initiate, 500 UploadLayerPart and 100 Complete a second, of each a second's worth at once`,
        'idle: share of the time between first and last call in which the server had none',
        quietness(contestants),
        ...leftovers(contestants),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title: `Calls: ${title}`,
        quantity: 'calls per second',
        bars: contestants.map(({ name, runs }) => ({
          name,
          role: roleOf(name),
          spread: spreadOf(runs.map(callsPerSecond)),
        })),
      },
      {
        kind: 'bars',
        title: `CPU: ${title}`,
        quantity: 'CPU ms a layer',
        bars: contestants.map(({ name, runs }) => ({
          name,
          role: roleOf(name),
          spread: spreadOf(cpuOfLayer(runs)),
        })),
      },
    ],
    figures: contestants.flatMap(({ name, runs }) => [
      gain(`${name}: calls`, '/s', runs.map(callsPerSecond)),
      cost(`${name}: CPU of a layer`, 'ms', cpuOfLayer(runs)),
    ]),
    data: contestants,
  };
}

/** Those that were refused do not count. */
function callsPerSecond({ activity: { callCount, throttledCount, spanMs } }: Run): number {
  return (callCount - throttledCount) / (spanMs / 1000);
}
