/** What SHA-256 costs, natively and portably, and what it costs to move a digest's state. */

import { createHash, randomFillSync } from 'node:crypto';
import { createSHA256 } from 'hash-wasm';
import { runMicroBench } from '../micro/micro-bench.ts';
import type { MicroTask } from '../micro/micro-bench.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const SIZE_BYTES: number = 10 * 1024 * 1024;
const SMALL_SIZE_BYTES = 300;

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const bytes = randomFillSync(Buffer.allocUnsafe(SIZE_BYTES));
  const few = bytes.subarray(0, SMALL_SIZE_BYTES);
  const wasm = await createSHA256();
  wasm.init().update(few);
  const state = wasm.save();
  const running = createHash('sha256').update(few);

  yield await runMicroBench(
    'SHA-256 of 10 MiB',
    [
      named('node:crypto', () => createHash('sha256').update(bytes).digest('hex')),
      named('hash-wasm', () => wasm.init().update(bytes).digest('hex')),
      named('hash-wasm, state saved and loaded after each MiB', () => {
        wasm.init();
        for (let start = 0; start < SIZE_BYTES; start += 1024 * 1024) {
          wasm.update(bytes.subarray(start, start + 1024 * 1024));
          wasm.load(wasm.save());
        }
        return wasm.digest('hex');
      }),
    ],
    context,
  );
  yield await runMicroBench(
    'Moving a digest that is under way',
    [
      { name: 'node:crypto: copy (same thread only)', work: () => running.copy() },
      { name: 'hash-wasm: save', work: () => wasm.save() },
      { name: 'hash-wasm: load', work: () => wasm.load(state) },
      { name: 'hash-wasm: a new instance', work: () => createSHA256() },
    ],
    context,
    [`a saved state has ${state.length} bytes and is valid in any thread or process`],
  );
}

function named(name: string, work: () => unknown): MicroTask {
  return { name, sizeBytes: SIZE_BYTES, work };
}

export const hashScenario: Scenario = {
  name: 'hash',
  summary: 'SHA-256 by node:crypto and hash-wasm, state saved and loaded',
  byDefault: true,
  run,
};
