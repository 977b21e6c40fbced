/** Gives a target one input after another, and tells of the first that it does not bear. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzTarget, OpenTarget } from './fuzz-target.ts';
import { Mutator } from './mutator.ts';
import { Watchdog } from './watchdog.ts';

export const CORPUS: string = fileURLToPath(new URL('corpus', import.meta.url));
/** Inputs that are varied further because something new came of them. */
const KEPT_MAX = 300;
/** For one input, of at most 64 KiB; a machine under load is given a second chance. */
const INPUT_MS_MAX = 4000;
const INPUT_MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const SHRINK_ATTEMPTS_MAX = 400;
/** Longest input, in characters of base64, that a message shows. */
const SHOWN_CHARACTERS_MAX = 4000;

export interface CampaignBounds {
  readonly seed: number;
  readonly runsMax: number;
  readonly timeMsMax: number;
}

export interface CampaignReport {
  readonly runCount: number;
  /** Different things that came of the inputs. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** The inputs that the repository keeps for a target. */
function corpusOf(target: FuzzTarget): readonly Buffer[] {
  const folder = join(CORPUS, target.name);
  let names: readonly string[];
  try {
    names = readdirSync(folder).toSorted();
  } catch {
    names = [];
  }
  return [
    ...names.map((name) => readFileSync(join(folder, name))),
    ...target.seeds.map((seed) => Buffer.from(seed)),
  ];
}

/** Gives it this one input. */
export async function replay(target: FuzzTarget, input: Buffer): Promise<string> {
  const open = await openWatched(target);
  try {
    return await runBounded(open, input);
  } finally {
    await open.close();
  }
}

/** @throws Error that tells the input and how to try it again */
export async function campaign(
  target: FuzzTarget,
  bounds: CampaignBounds,
): Promise<CampaignReport> {
  const open = await openWatched(target);
  const mutator = new Mutator(bounds.seed, target.words);
  const corpus = corpusOf(target);
  const kept: Buffer[] = [...corpus, Buffer.alloc(0)];
  const outcomes = new Map<string, number>();
  const endMs = performance.now() + bounds.timeMsMax;
  let runCount = 0;
  try {
    for (; runCount < bounds.runsMax && performance.now() < endMs; runCount += 1) {
      const input =
        kept[runCount] !== undefined && runCount <= corpus.length
          ? kept[runCount]
          : mutator.vary(kept);
      if (input === undefined) break;
      let outcome: string;
      try {
        outcome = await runBounded(open, Buffer.from(input));
      } catch (error) {
        throw await failureOf(target, open, input, error, bounds.seed);
      }
      const times = outcomes.get(outcome) ?? 0;
      outcomes.set(outcome, times + 1);
      if (times === 0 && kept.length < KEPT_MAX) kept.push(input);
    }
  } finally {
    await open.close();
  }
  return { runCount, outcomes };
}

async function openWatched(target: FuzzTarget): Promise<OpenTarget> {
  const open = await target.open();
  const watchdog = new Watchdog(target.name);
  return {
    run: async (input) => {
      watchdog.begin(input);
      try {
        return await open.run(input);
      } finally {
        watchdog.end();
      }
    },
    close: async () => {
      await watchdog.close();
      await open.close();
    },
  };
}

async function runBounded(open: OpenTarget, input: Buffer): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const startedAtMs = performance.now();
    const memoryBefore = memoryBytes();
    const outcome = await open.run(Buffer.from(input));
    const elapsedMs = performance.now() - startedAtMs;
    const grownBytes = memoryBytes() - memoryBefore;
    if (grownBytes > INPUT_MEMORY_BYTES_MAX)
      throw new Error(`it took ${grownBytes} bytes of memory`);
    if (Object.keys(Object.prototype).length > 0)
      throw new Error('it changed what all objects are');
    if (elapsedMs <= INPUT_MS_MAX) return outcome;
    if (attempt === 2) throw new Error(`it took ${Math.round(elapsedMs)} ms`);
  }
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function failureOf(
  target: FuzzTarget,
  open: OpenTarget,
  input: Buffer,
  error: unknown,
  seed: number,
): Promise<Error> {
  const small = await shrunk(open, input, textOf(error));
  const text = small.toString('base64');
  const again =
    text.length <= SHOWN_CHARACTERS_MAX
      ? `LONGSHORE_FUZZ_INPUT=${text}`
      : `LONGSHORE_FUZZ_SEED=${seed}`;
  return new Error(
    `${target.name}: ${textOf(error)}\n` +
      `input (${small.length} bytes): ${JSON.stringify(small.toString('latin1').slice(0, 400))}\n` +
      `again: ${again} npx vitest run test/fuzz -t '${target.name}'\n` +
      `seed: ${seed}`,
    { cause: error },
  );
}

/** A shorter input that fails in the same way. */
async function shrunk(open: OpenTarget, input: Buffer, text: string): Promise<Buffer> {
  let smallest = input;
  let attempts = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.length;) {
      attempts += 1;
      if (attempts > SHRINK_ATTEMPTS_MAX) return smallest;
      const less = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if ((await failureText(open, less)) === text) smallest = less;
      else at += size;
    }
  }
  return smallest;
}

async function failureText(open: OpenTarget, input: Buffer): Promise<string | undefined> {
  try {
    await runBounded(open, Buffer.from(input));
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
