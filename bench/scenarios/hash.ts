/** What SHA-256 costs, natively and portably, in one thread and two, and how its state moves. */

import { createHash, randomFillSync } from 'node:crypto';
import { createSHA256 } from 'hash-wasm';
import { runFairly } from '../harness/fair-rounds.ts';
import type { HashJob } from '../harness/hash-run.ts';
import { runHashThreads } from '../harness/hash-run.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { feedingTasks, layersInTurnTasks } from '../micro/hash-feeding.ts';
import type { MicroTask } from '../micro/micro-bench.ts';
import { runMicroBench } from '../micro/micro-bench.ts';
import { hashSection } from '../report/hash-table.ts';
import { formatRatio, formatShare } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const SIZE_BYTES: number = 10 * 1024 * 1024;
const SMALL_SIZE_BYTES = 300;

export interface HashThreadSettings {
  readonly durationMs: number;
  readonly rounds: Rounds;
}

const QUICK: HashThreadSettings = {
  durationMs: 500,
  rounds: { warmUpCount: 0, countedCount: 3 },
};
const FULL: HashThreadSettings = { durationMs: 3000, rounds: { warmUpCount: 1, countedCount: 5 } };

const WAYS: readonly (Pick<HashJob, 'hasher' | 'threadCount' | 'hops'> & { name: string })[] = [
  { name: 'node:crypto, 1 thread', hasher: 'native', threadCount: 1, hops: false },
  { name: 'hash-wasm, 1 thread', hasher: 'wasm', threadCount: 1, hops: false },
  { name: 'node:crypto, 2 threads', hasher: 'native', threadCount: 2, hops: false },
  { name: 'hash-wasm, 2 threads', hasher: 'wasm', threadCount: 2, hops: false },
  { name: 'hash-wasm, one layer hops over 2', hasher: 'wasm', threadCount: 2, hops: true },
];

/** Both implementations in one and two threads; `smoke` runs it with the shortest time. */
export async function measureHashThreads(
  { durationMs, rounds }: HashThreadSettings,
  context: ScenarioContext,
): Promise<Section> {
  const file = (await context.programs()).files['hash-threads'];
  const runs = await runFairly(
    WAYS,
    rounds,
    async ({ name, hasher, threadCount, hops }, round) => {
      context.progress(`${name}, ${round}`);
      return runHashThreads(file, { hasher, threadCount, hops, durationMs });
    },
    context,
  );
  return hashSection(
    WAYS.map(({ name, ...way }, index) => ({
      name,
      job: { ...way, durationMs },
      runs: runs[index] ?? [],
    })),
  );
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const settings = context.full ? FULL : QUICK;
  const countedCount = context.runs ?? settings.rounds.countedCount;
  yield await measureHashThreads(
    { ...settings, rounds: { ...settings.rounds, countedCount } },
    context,
  );
  const bytes = randomFillSync(Buffer.allocUnsafe(SIZE_BYTES));
  yield await runMicroBench(
    'Feeding hash-wasm 10 MiB',
    await feedingTasks(bytes),
    context,
    (mediansMs) => {
      const [small = 0, , whole = 1, copy = 0] = mediansMs;
      return [
        `hash-wasm copies what it is given into its own memory, 16 KiB at most at once; all these copies are ${formatShare(copy / whole)} of its time, so that is all that fewer copies could gain; fewer calls: ${formatRatio(small / whole)} as fast with all at once`,
      ];
    },
  );
  yield await runMicroBench(
    'Two layers of 10 MiB in one thread',
    await layersInTurnTasks(bytes),
    context,
    (mediansMs) => {
      const [wasmAfter = 0, wasmTurns = 1, wasmStates = 1, nativeAfter = 0, nativeTurns = 1] =
        mediansMs;
      return [
        `taking turns makes hash-wasm ${formatRatio(wasmAfter / wasmTurns)} as fast with an instance for each layer, ${formatRatio(wasmAfter / wasmStates)} with one whose state is swapped, and node:crypto ${formatRatio(nativeAfter / nativeTurns)}: both work on one block at a time, so a second layer only helps in a second thread`,
        'side by side in one thread would need an implementation that hashes several messages in the lanes of vector instructions; neither has one',
      ];
    },
  );
  yield await measureMoving(bytes.subarray(0, SMALL_SIZE_BYTES), context);
}

async function measureMoving(few: Buffer, context: ScenarioContext): Promise<Section> {
  const wasm = await createSHA256();
  wasm.init().update(few);
  const state = wasm.save();
  const running = createHash('sha256').update(few);
  const tasks: MicroTask[] = [
    { name: 'node:crypto: copy (same thread only)', work: () => running.copy() },
    { name: 'hash-wasm: save', work: () => wasm.save() },
    { name: 'hash-wasm: load', work: () => wasm.load(state) },
    { name: 'hash-wasm: a new instance', work: () => createSHA256() },
  ];
  return await runMicroBench('Moving a digest that is under way', tasks, context, [
    `a saved state has ${state.length} bytes and is valid in any thread or process`,
  ]);
}

export const hashScenario: Scenario = {
  name: 'hash',
  summary: 'SHA-256 by node:crypto and hash-wasm: one and two threads, pieces, moving state',
  byDefault: true,
  run,
};
