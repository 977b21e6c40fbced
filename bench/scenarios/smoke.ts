/** The whole machinery with little to do: tells in two minutes whether the benchmark works. */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { runInterleaved } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import { Server } from '../harness/server-process.ts';
import { layerCharts, layerFigures } from '../report/layer-chart.ts';
import { layerTable } from '../report/layer-table.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import { measureBudgets } from './budget.ts';
import { measureHashThreads } from './hash.ts';
import { LINKS } from './links.ts';
import { measureMany } from './many.ts';
import { measureStartup } from './startup.ts';
import { measureSync } from './sync.ts';
import { measureUnevenImage } from './uneven-image.ts';
import { measureWan } from './wan.ts';

const MIB: number = 1024 * 1024;
const PART_SIZE_BYTES: number = 5 * MIB;
const LAYER_SIZE_BYTES: number = 20 * MIB;
const SMALL_SIZE_BYTES: number = 64 * 1024;
const LAYER_COUNT = 2;

const CONTESTANTS: readonly Contestant[] = [
  { name: 'plain SDK', program: 'plain-sdk' },
  { name: 'longshore', program: 'longshore' },
  { name: 'floor: bare writer', program: 'bare-writer', sendsOtherBytes: true },
];
const STAGES: Contestant = { name: 'floor: stages', program: 'stages', sendsOtherBytes: true };

const FEW_IMAGES = { imageCount: 6, repositoryCount: 2, referrerShare: 0 } as const;

const ONCE = { warmUpCount: 0, countedCount: 1 } as const;

async function* run(given: ScenarioContext): AsyncGenerator<Section> {
  const context = { ...given, patient: false };
  yield await measureHashThreads({ durationMs: 50, rounds: ONCE }, context);
  yield* smokeLayers(context);
  yield* measureWan(
    {
      partSizesBytes: [PART_SIZE_BYTES],
      windows: [1, 2],
      partCount: 3,
      rounds: ONCE,
      grid: { links: LINKS.slice(0, 1), partCount: 2, rounds: ONCE },
      pushSizeBytes: 12 * MIB,
    },
    context,
  );
  yield await measureUnevenImage([12, 2, 1], ONCE, context);
  yield* measureMany({ layerCount: 12, rounds: ONCE }, context);
  yield await measureBudgets(
    {
      budgetsBytes: [64 * MIB, 128 * MIB],
      layerCount: 2,
      layerSizeBytes: 20 * MIB,
      rounds: ONCE,
    },
    context,
  );
  yield await measureStartup(1, context);
  yield* measureSync(
    { compared: FEW_IMAGES, limited: FEW_IMAGES, imageCounts: [4], runCount: 1 },
    context,
  );
}

async function* smokeLayers(context: ScenarioContext): AsyncGenerator<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  const layers = [];
  for (let count = 0; count < LAYER_COUNT; count += 1) {
    layers.push(await files.createRandom(LAYER_SIZE_BYTES));
  }
  const small = [await files.createRandom(SMALL_SIZE_BYTES)];
  const task: Task = { layers, partSizeBytes: PART_SIZE_BYTES, layersInFlight: LAYER_COUNT };
  for (const tls of [false, true]) {
    await using server = await Server.start(programs.server, { tls });
    const start = (contestant: Contestant): Promise<Run> =>
      runContestant(contestant, programs[contestant.program], task, server);
    const runs = await runInterleaved(
      CONTESTANTS,
      { ...ONCE, countedCount: context.runs ?? 1 },
      start,
    );
    const named = CONTESTANTS.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
    const stages = await start(STAGES);
    const startTask = { ...task, layers: small };
    const starts = [];
    for (const { name, program } of CONTESTANTS.filter(({ sendsOtherBytes }) => !sendsOtherBytes)) {
      const started = await runContestant({ name, program }, programs[program], startTask, server);
      starts.push({ name, runs: [started] });
    }
    const label = `Smoke, ${tls ? 'TLS' : 'plain HTTP'}`;
    yield {
      table: layerTable(label, task, named, stages, starts),
      charts: layerCharts(label, named, stages),
      figures: layerFigures(named),
      data: { tls, contestants: named, stages, starts },
    };
  }
}

export const smokeScenario: Scenario = {
  name: 'smoke',
  summary: 'every part of the benchmark on layers too small to mean anything',
  byDefault: false,
  run,
};
