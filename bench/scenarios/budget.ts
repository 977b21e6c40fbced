/** What `bytesInMemoryMax` costs and buys. */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { runFairly } from '../harness/fair-rounds.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile } from '../harness/protocol.ts';
import { measureReadCost } from '../harness/read-cost.ts';
import { Server } from '../harness/server-process.ts';
import { budgetSection } from '../report/budget-table.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 2 ** 20;

/** So small that what a run of it needs is threads and their heaps. */
const START_SIZE_BYTES: number = 64 * 1024;
const DEFAULTS: Contestant = { name: 'longshore, defaults', program: 'longshore' };

export interface BudgetSettings {
  readonly budgetsBytes: readonly number[];
  readonly layerCount: number;
  readonly layerSizeBytes: number;
  readonly rounds: Rounds;
}

/** Layers side by side with the default budget and with each of the given ones. */
export async function measureBudgets(
  { budgetsBytes, layerCount, layerSizeBytes, rounds }: BudgetSettings,
  context: ScenarioContext,
): Promise<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  await using server = await Server.start(programs.server, { tls: false });
  context.progress(`hashing ${layerCount} sparse layers`);
  const layers: LayerFile[] = [];
  for (let index = 0; index < layerCount; index += 1) {
    // Layers of zeros differ by their sizes; equal ones would be sent once.
    layers.push(await files.createSparse(layerSizeBytes + index * MIB));
  }
  const task: Task = { layers, layersInFlight: layerCount };
  const small: LayerFile[] = [];
  for (let index = 0; index < layerCount; index += 1) {
    small.push(await files.createRandom(START_SIZE_BYTES));
  }
  const startTask: Task = { layers: small, layersInFlight: layerCount };
  const contestants: Contestant[] = [
    DEFAULTS,
    ...budgetsBytes.map((bytesInMemoryMax): Contestant => ({
      name: `longshore, ${bytesInMemoryMax / MIB} MiB`,
      program: 'longshore',
      options: { bytesInMemoryMax },
    })),
  ];
  const runs = await runFairly(
    contestants,
    rounds,
    async (contestant, round): Promise<Run> => {
      const result = await runContestant(contestant, programs.longshore, task, server);
      const peak = Math.round(result.rssPeakBytes / MEGABYTE);
      context.progress(`budgets, ${round}: ${contestant.name} peak ${peak} MB`);
      return result;
    },
    context,
  );
  const started: Run[] = [];
  for (let count = 0; count < rounds.countedCount; count += 1) {
    started.push(await runContestant(DEFAULTS, programs.longshore, startTask, server));
  }
  const named = contestants.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
  return budgetSection(layers, budgetsBytes, named, {
    started,
    readCost: await measureReadCost(),
  });
}
