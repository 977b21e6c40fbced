/** The same layers, sent by longshore, by the plain SDK and by nothing but sockets. */

import { runFairly } from '../harness/fair-rounds.ts';
import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { WARM_UP } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile } from '../harness/protocol.ts';
import { Server } from '../harness/server-process.ts';
import { layerCharts, layerFigures } from '../report/layer-chart.ts';
import { layerTable } from '../report/layer-table.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 1024 * 1024;
const LAYER_COUNT = 4;
/** Multiples of both part sizes, so that every part is a whole one. */
const LAYER_SIZE_BYTES: number = 260 * MIB;
const LAYER_SIZE_FULL_BYTES: number = 520 * MIB;
/** So small that a run of it is start and end of threads and connections, and nothing else. */
const START_SIZE_BYTES: number = 64 * 1024;
const RUNS = 3;
const RUNS_FULL = 5;

const PLAIN_SDK: Contestant = { name: 'plain SDK', program: 'plain-sdk' };
const LONGSHORE: Contestant = { name: 'longshore', program: 'longshore' };
const BARE_WRITER: Contestant = {
  name: 'floor: bare writer',
  program: 'bare-writer',
  sendsOtherBytes: true,
};
const STAGES: Contestant = { name: 'floor: stages', program: 'stages', sendsOtherBytes: true };
const HASHERS: readonly Contestant[] = [
  { name: 'longshore, native', program: 'longshore', options: { hasher: 'native' } },
  { name: 'longshore, wasm', program: 'longshore', options: { hasher: 'wasm' } },
];

interface Setting {
  readonly tls: boolean;
  readonly partSizeBytes: number;
}

const SETTINGS: readonly Setting[] = [
  { tls: false, partSizeBytes: 20 * MIB },
  { tls: true, partSizeBytes: 20 * MIB },
];
const SETTINGS_FULL: readonly Setting[] = [
  ...SETTINGS,
  { tls: false, partSizeBytes: 10 * MIB },
  { tls: true, partSizeBytes: 10 * MIB },
];

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  await using files = new LayerFiles();
  const sizeBytes = context.full ? LAYER_SIZE_FULL_BYTES : LAYER_SIZE_BYTES;
  context.progress(`writing ${LAYER_COUNT} layers of ${sizeBytes / MIB} MiB`);
  const layers: LayerFile[] = [];
  const small: LayerFile[] = [];
  for (let count = 0; count < LAYER_COUNT; count += 1) {
    layers.push(await files.createRandom(sizeBytes));
    small.push(await files.createRandom(START_SIZE_BYTES));
  }

  for (const setting of context.full ? SETTINGS_FULL : SETTINGS) {
    const { partSizeBytes } = setting;
    const task: Task = { layers, partSizeBytes, layersInFlight: LAYER_COUNT };
    yield await runSetting(setting, task, small, context);
  }
}

async function runSetting(
  { tls, partSizeBytes }: Setting,
  task: Task,
  smallLayers: readonly LayerFile[],
  context: ScenarioContext,
): Promise<Section> {
  const programs = (await context.programs()).files;
  const label = `${partSizeBytes / MIB} MiB parts, ${tls ? 'TLS' : 'plain HTTP'}`;
  const hashers = context.full ? HASHERS : [];
  const contestants = [PLAIN_SDK, LONGSHORE, ...hashers, BARE_WRITER];
  await using server = await Server.start(programs.server, { tls });
  const start = (contestant: Contestant, layers = task.layers): Promise<Run> =>
    runContestant(contestant, programs[contestant.program], { ...task, layers }, server);
  const countedCount = context.runs ?? (context.full ? RUNS_FULL : RUNS);

  const runs = await runFairly(
    contestants,
    { warmUpCount: 1, countedCount },
    async (contestant, round) => {
      // One layer warms server and clock as well as four do.
      const isWarmUp = round === WARM_UP && !context.full;
      const result = await start(contestant, isWarmUp ? task.layers.slice(0, 1) : task.layers);
      const speed = Math.round(result.layerBytes / MEGABYTE / (result.wallMs / 1000));
      context.progress(`${label}, ${round}: ${contestant.name} ${speed} MB/s`);
      return result;
    },
    context,
  );
  const stages = await start(STAGES);
  const starting = [PLAIN_SDK, LONGSHORE];
  context.progress(`${label}: starting alone`);
  const startRuns = await runFairly(
    starting,
    { warmUpCount: 0, countedCount },
    async (contestant) => start(contestant, smallLayers),
    context,
  );
  const starts = starting.map(({ name }, index) => ({ name, runs: startRuns[index] ?? [] }));
  const named = contestants.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
  return {
    table: layerTable(label, task, named, stages, starts),
    charts: layerCharts(label, named, stages),
    figures: layerFigures(named),
    data: { tls, partSizeBytes, contestants: named, stages, starts },
  };
}

export const layerScenario: Scenario = {
  name: 'layer',
  summary: 'CPU and wall time of sending four layers, against the plain SDK and the floors',
  byDefault: true,
  run,
};
