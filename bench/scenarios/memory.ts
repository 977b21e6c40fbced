/** What an upload asks of the process that embeds it: memory, and turns of its event loop. */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile } from '../harness/protocol.ts';
import { Server } from '../harness/server-process.ts';
import { roleOf } from '../report/chart.ts';
import { layerFigures } from '../report/layer-chart.ts';
import { formatLoopDelay, leftovers, quietness, speedOf } from '../report/layer-table.ts';
import { formatMegabytes, formatNumber, MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import { median, spreadOf } from '../statistics.ts';
import type { BudgetSettings } from './budget.ts';
import { measureBudgets } from './budget.ts';

const MIB: number = 2 ** 20;
const GIB: number = 2 ** 30;
const SMALL_BYTES: number = 200 * MEGABYTE;
const MEDIUM_BYTES: number = GIB;
const LARGE_BYTES: number = 8 * GIB;
const RUNS_FULL = 5;
const RUNS_BUDGETS_FULL = 3;
const LAYER_COUNT = 16;
const BUDGETS: Omit<BudgetSettings, 'rounds'> = {
  budgetsBytes: [64 * MIB, 256 * MIB],
  layerCount: LAYER_COUNT,
  layerSizeBytes: 64 * MIB,
};
/** The task that the memory is promised for. */
const LARGE_LAYERS_FULL: Omit<BudgetSettings, 'rounds'> = {
  budgetsBytes: [],
  layerCount: LAYER_COUNT,
  layerSizeBytes: 2 * GIB,
};
/** Smaller layers: memory stays the same long before their end, and a sweep is many runs. */
const BUDGETS_FULL: Omit<BudgetSettings, 'rounds'> = {
  budgetsBytes: [64, 96, 128, 192, 256, 384, 512, 1024].map((mib) => mib * MIB),
  layerCount: LAYER_COUNT,
  layerSizeBytes: 512 * MIB,
};

const CONTESTANTS: readonly Contestant[] = [
  { name: 'longshore, defaults', program: 'longshore' },
  { name: 'plain SDK', program: 'plain-sdk' },
];

interface Setting {
  readonly tls: boolean;
  readonly sizeBytes: number;
}

const SETTINGS: readonly Setting[] = [
  { tls: false, sizeBytes: SMALL_BYTES },
  { tls: false, sizeBytes: MEDIUM_BYTES },
  { tls: true, sizeBytes: MEDIUM_BYTES },
];
const SETTINGS_FULL: readonly Setting[] = [...SETTINGS, { tls: false, sizeBytes: LARGE_BYTES }];

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  yield await measureLayers(context);
  const countedCount = context.runs ?? (context.full ? RUNS_BUDGETS_FULL : 1);
  const rounds = { warmUpCount: 0, countedCount };
  for (const settings of context.full ? [LARGE_LAYERS_FULL, BUDGETS_FULL] : [BUDGETS]) {
    yield await measureBudgets({ ...settings, rounds }, context);
  }
}

async function measureLayers(context: ScenarioContext): Promise<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  await using plainServer = await Server.start(programs.server, { tls: false });
  await using tlsServer = await Server.start(programs.server, { tls: true });
  const known = new Map<number, LayerFile>();
  const count = context.runs ?? (context.full ? RUNS_FULL : 1);

  const measured: { readonly name: string; readonly setting: Setting; readonly runs: Run[] }[] = [];
  for (const setting of context.full ? SETTINGS_FULL : SETTINGS) {
    const { tls, sizeBytes } = setting;
    const layer = known.get(sizeBytes) ?? (await files.createSparse(sizeBytes));
    known.set(sizeBytes, layer);
    // The part size is the server's word, as in a program that sets nothing.
    const task: Task = { layers: [layer], layersInFlight: 1 };
    for (const contestant of CONTESTANTS) {
      const name = `${contestant.name}: ${formatMegabytes(sizeBytes)}, ${tls ? 'TLS' : 'plain'}`;
      const runs: Run[] = [];
      for (let index = 0; index < count; index += 1) {
        context.progress(`${name}, ${index + 1}/${count}`);
        const server = tls ? tlsServer : plainServer;
        runs.push(await runContestant(contestant, programs[contestant.program], task, server));
      }
      measured.push({ name, setting, runs });
    }
  }
  return {
    table: {
      title: 'One layer, default options: memory and event loop of the embedding process',
      columns: [
        'contestant',
        'peak RSS',
        'sampled peak',
        'before',
        'growth',
        'loop p50/p99/max ms',
        'MB/s',
      ],
      rows: measured.map(({ name, runs }) => memoryRow(name, runs)),
      notes: [
        `medians of ${count} runs; peak RSS is the kernel's high-water mark, reset before the upload; "before" is Node with the client imported`,
        'layers are sparse files of zeros',
        quietness(measured),
        ...leftovers(measured),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title: 'Peak memory of the process',
        quantity: 'peak RSS, MB',
        bars: measured.map(({ name, runs }) => ({
          name,
          role: roleOf(name),
          spread: spreadOf(runs.map(({ rssPeakBytes }) => rssPeakBytes / MEGABYTE)),
        })),
      },
    ],
    figures: layerFigures(measured),
    data: measured,
  };
}

function memoryRow(name: string, runs: readonly Run[]): string[] {
  const peakBytes = median(runs.map(({ rssPeakBytes }) => rssPeakBytes));
  const beforeBytes = median(runs.map(({ rssBeforeBytes }) => rssBeforeBytes));
  return [
    name,
    formatMegabytes(peakBytes),
    formatMegabytes(median(runs.map(({ rssSampledPeakBytes }) => rssSampledPeakBytes))),
    formatMegabytes(beforeBytes),
    formatMegabytes(peakBytes - beforeBytes),
    formatLoopDelay(runs),
    formatNumber(speedOf(runs).median),
  ];
}

export const memoryScenario: Scenario = {
  name: 'memory',
  summary: 'peak memory and event-loop delay: one layer, 16 layers, throughput against budget',
  byDefault: true,
  run,
};
