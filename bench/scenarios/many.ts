/** Many small layers: calls a second, gaps between them, CPU time of each. */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { runFairly } from '../harness/fair-rounds.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile, Link } from '../harness/protocol.ts';
import type { ServerSettings } from '../harness/server-process.ts';
import { Server } from '../harness/server-process.ts';
import type { NamedRuns } from '../report/layer-table.ts';
import { manySection } from '../report/many-table.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const LAYER_SIZE_BYTES: number = 256 * 1024;
const LAYERS_IN_FLIGHT = 16;

/** Quotas are easily kept where every call waits for the one before it: a region away it shows. */
const LINK: Link = {
  roundTripMs: 20,
  bytesPerSecondPerConnection: 40e6,
  partServiceTimeMs: 20,
};

export interface ManySettings {
  readonly layerCount: number;
  readonly rounds: Rounds;
}

const QUICK: ManySettings = { layerCount: 200, rounds: { warmUpCount: 1, countedCount: 3 } };
const FULL: ManySettings = { layerCount: 2000, rounds: { warmUpCount: 1, countedCount: 5 } };

const LONGSHORE: Contestant = { name: 'longshore, defaults', program: 'longshore' };
const CONTESTANTS: readonly Contestant[] = [
  LONGSHORE,
  {
    name: `longshore, ${LAYERS_IN_FLIGHT} layers at once`,
    program: 'longshore',
    options: { layersInFlight: LAYERS_IN_FLIGHT },
  },
  { name: `plain SDK, ${LAYERS_IN_FLIGHT} layers at once`, program: 'plain-sdk' },
];

/** The sections of the scenario for given sizes; `smoke` runs it with the smallest. */
export async function* measureMany(
  { layerCount, rounds }: ManySettings,
  context: ScenarioContext,
): AsyncGenerator<Section> {
  await using files = new LayerFiles();
  const layers: LayerFile[] = [];
  for (let count = 0; count < layerCount; count += 1) {
    layers.push(await files.createRandom(LAYER_SIZE_BYTES));
  }
  const task: Task = { layers, layersInFlight: LAYERS_IN_FLIGHT };
  const free = await runAll('without quotas', { tls: false }, CONTESTANTS, task, rounds, context);
  yield manySection('without quotas', layers, free);
  // The plain program has no answer to throttling but three attempts.
  const limited = CONTESTANTS.filter(({ program }) => program === 'longshore');
  const settings = { tls: false, quotas: true, link: LINK };
  const label = `under ECR's quotas, ${LINK.roundTripMs} ms away`;
  const bounded = await runAll(label, settings, limited, task, rounds, context);
  yield manySection(label, layers, bounded);
}

async function runAll(
  label: string,
  settings: ServerSettings,
  contestants: readonly Contestant[],
  task: Task,
  rounds: Rounds,
  context: ScenarioContext,
): Promise<NamedRuns[]> {
  const programs = (await context.programs()).files;
  const runs = await runFairly(
    contestants,
    rounds,
    async (contestant, round): Promise<Run> => {
      // Its quotas are full again for everyone.
      await using server = await Server.start(programs.server, settings);
      const result = await runContestant(contestant, programs[contestant.program], task, server);
      context.progress(`${label}, ${round}: ${contestant.name} ${Math.round(result.wallMs)} ms`);
      return result;
    },
    context,
  );
  return contestants.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const settings = context.full ? FULL : QUICK;
  const countedCount = context.runs ?? settings.rounds.countedCount;
  yield* measureMany({ ...settings, rounds: { ...settings.rounds, countedCount } }, context);
}

export const manyScenario: Scenario = {
  name: 'many',
  summary: 'many layers of 256 KiB: calls a second, gaps, CPU time of each layer',
  byDefault: true,
  run,
};
