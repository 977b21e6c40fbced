/** Small pieces of work, measured in this process. */

import { Bench } from 'tinybench';
import { FOREIGN_SHARE_MAX, MachineLoad, waitForQuiet } from '../harness/machine-load.ts';
import type { Chart } from '../report/chart.ts';
import { exactly } from '../report/chart.ts';
import type { ScenarioContext, Section } from '../scenario.ts';
import type { Spread } from '../statistics.ts';
import {
  formatDuration,
  formatNumber,
  formatRatio,
  formatShare,
  MEGABYTE,
} from '../report/quantity.ts';

/** One way to do the work. */
export interface MicroTask {
  readonly name: string;
  /** Bytes it works through, for a speed; `undefined` where only the time counts. */
  readonly sizeBytes?: number;
  readonly work: () => unknown;
}

interface MicroResult {
  readonly name: string;
  readonly medianMs: number;
  readonly spread: Spread;
  readonly p99Ms: number;
  readonly sampleCount: number;
  readonly marginShare: number;
  readonly megabytesPerSecond: number | undefined;
}

const TIME_MS = 700;
const TIME_FULL_MS = 4000;

/** Sentences below the table; what they say may depend on the medians, in the tasks' order. */
type Notes = readonly string[] | ((mediansMs: readonly number[]) => readonly string[]);

/** Measures the tasks one after another; the first one is what the others are compared with. */
export async function runMicroBench(
  title: string,
  tasks: readonly MicroTask[],
  context: ScenarioContext,
  notes: Notes = [],
): Promise<Section> {
  context.progress(title);
  const time = context.full ? TIME_FULL_MS : TIME_MS;
  const bench = new Bench({
    time,
    iterations: 8,
    warmupIterations: 3,
    retainSamples: true,
    throws: true,
  });
  for (const { name, work } of tasks) {
    // Garbage of the way before must not be collected on this one's account.
    bench.add(name, work, { beforeAll: collectGarbage });
  }
  if (context.patient) await waitForQuiet();
  const load = new MachineLoad();
  const cpuBefore = process.cpuUsage();
  await bench.run();
  const { user, system } = process.cpuUsage(cpuBefore);
  const foreignShare = load.foreignShare((user + system) / 1000);
  const results = tasks.map((task, index) => readResult(task, bench, index));
  const reference = results[0]?.medianMs ?? Number.NaN;
  const rows = results.map((result) => [
    result.name,
    formatDuration(result.medianMs),
    formatDuration(result.p99Ms),
    result.megabytesPerSecond === undefined ? '-' : formatNumber(result.megabytesPerSecond),
    formatRatio(reference / result.medianMs),
    String(result.sampleCount),
    formatShare(result.marginShare),
  ]);
  const columns = ['way', 'median', 'p99', 'MB/s', 'speed vs first', 'samples', 'margin'];
  return {
    table: {
      title,
      columns,
      rows,
      notes: [
        ...(typeof notes === 'function' ? notes(results.map(({ medianMs }) => medianMs)) : notes),
        ...(foreignShare > FOREIGN_SHARE_MAX
          ? [`PROVISIONAL: other programs took ${formatShare(foreignShare)} of the cores`]
          : []),
      ],
    },
    charts: [microChart(title, results)],
    figures: results.map(({ name, spread }) => ({ name, unit: 'ms', better: 'lower', spread })),
    data: results,
  };
}

/** Speeds where all ways have one, else times. */
function microChart(title: string, results: readonly MicroResult[]): Chart {
  const speeds = results.flatMap(({ megabytesPerSecond: speed }) => speed ?? []);
  const asSpeed = speeds.length === results.length;
  const bars = results.map(({ name, spread }, index) => ({
    name,
    role: index === 0 ? ('rival' as const) : ('longshore' as const),
    spread: asSpeed ? exactly(speeds[index] ?? 0) : exactly(spread.median * 1000),
  }));
  return { kind: 'bars', title, quantity: asSpeed ? 'MB/s' : 'us, median', bars };
}

function readResult({ name, sizeBytes }: MicroTask, bench: Bench, index: number): MicroResult {
  const result = bench.tasks[index]?.result;
  if (result?.state !== 'completed') throw new Error(`${name} was not measured`);
  const { latency } = result;
  return {
    name,
    medianMs: latency.p50,
    spread: {
      median: latency.p50,
      min: latency.min,
      max: latency.max,
      deviationShare: latency.mad / latency.p50,
    },
    p99Ms: latency.p99,
    sampleCount: latency.samplesCount,
    marginShare: latency.rme / 100,
    megabytesPerSecond:
      sizeBytes === undefined ? undefined : sizeBytes / MEGABYTE / (latency.p50 / 1000),
  };
}

function collectGarbage(): void {
  globalThis.gc?.();
}
