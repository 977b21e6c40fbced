import pLimit from 'p-limit';
import { describe, expect, test, vi } from 'vitest';
import { PartMemory, partMemoryBytes } from '../../src/layer/part-memory.ts';
import { planParts } from '../../src/layer/part-plan.ts';
import {
  assertSourceEnds,
  type PartPreparationOptions,
  preparePart,
} from '../../src/layer/part-preparation.ts';
import type { ByteRange } from '../../src/layer/ports.ts';
import type { WaitingFor } from '../../src/layer/stall-watch.ts';
import { WatchedSource } from '../../src/layer/watched-source.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { ModelSource, type ModelSourceOptions } from './model-source.ts';
import { ModelWorkshop } from './model-workshop.ts';
import { NotedMemory } from './noted-memory.ts';

const PART_BYTES = 5 * MIB;

withClock();

/** A layer's parts before the first of them. */
async function preparation(source: ModelSourceOptions, more: Partial<PartPreparationOptions> = {}) {
  const rig = layerRig();
  const model = new ModelSource(source);
  const watched = await finish(
    WatchedSource.open(model, 2_000, rig.progress, new AbortController().signal),
  );
  const memory = new NotedMemory();
  const workshop = new ModelWorkshop();
  const framed: unknown[] = [];
  const options: PartPreparationOptions = {
    target: { repository: 'team/app', uploadId: 'one' },
    plan: planParts(watched.sizeBytes, PART_BYTES, 'the layer'),
    source: watched,
    sourceLabel: 'the layer',
    hash: workshop.openHash('the layer'),
    framePart: (...what) => {
      framed.push(what);
      return { prefix: '', suffix: '' };
    },
    memory,
    partPermits: pLimit(2),
    ...more,
  };
  const waits: WaitingFor[] = [];
  const prepare = (range: ByteRange, signal = new AbortController().signal) =>
    preparePart(options, range, signal, (waitingFor) => waits.push(waitingFor));
  return { options, memory, workshop, framed, waits, prepare, model };
}

const FIRST = { firstByte: 0, endByte: PART_BYTES };

describe('a part that is prepared', () => {
  test('waits for its turn, memory, the source and a worker, in this order', async () => {
    const { prepare, waits, framed, memory, options } = await preparation({ sizeBytes: 9 * MIB });
    const ready = await finish(prepare(FIRST));
    expect(ready?.prepared).toMatchObject(FIRST);
    expect(waits).toEqual(['turn', 'memory', 'source', 'preparation']);
    expect(framed).toEqual([[options.target, FIRST]]);
    expect(memory.wishes).toEqual([`${partMemoryBytes(PART_BYTES)} of ${9 * MIB}`]);
    expect(options.partPermits.activeCount).toBe(1);
    ready?.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(options.partPermits.activeCount).toBe(0);
    expect(await finish(memory.acquire(100 * MIB, 1, never()))).toBeDefined();
  });

  test('of a file is read by the worker, from where the layer begins in it', async () => {
    const { prepare, workshop } = await preparation({
      sizeBytes: 9 * MIB,
      path: '/a/blob',
      pathOffsetBytes: 512,
    });
    await finish(prepare(FIRST));
    expect(workshop.jobs).toEqual([`preparePart /a/blob+512 0-${PART_BYTES}`]);
    const whole = await preparation({ sizeBytes: 9 * MIB, path: '/a/blob' });
    await finish(whole.prepare(FIRST));
    expect(whole.workshop.jobs).toEqual([`preparePart /a/blob+0 0-${PART_BYTES}`]);
  });

  test('keeps a thread busy only while it is prepared', async () => {
    const seen: number[] = [];
    const { prepare, memory } = await preparation(
      {
        sizeBytes: 9 * MIB,
        beforeRead: async () => {
          seen.push(memory.preparingCount);
        },
      },
      {
        framePart: () => {
          seen.push(memory.preparingCount);
          return { prefix: '', suffix: '' };
        },
      },
    );
    await finish(prepare(FIRST));
    expect([...seen, memory.preparingCount]).toEqual([0, 1, 0]);
  });

  test('of a stream is as long as what the stream gave', async () => {
    const { prepare, memory } = await preparation({ sizeBytes: MIB, isSizeKnown: false });
    const ready = await finish(prepare(FIRST));
    expect(ready?.prepared).toMatchObject({ firstByte: 0, endByte: MIB });
    expect(memory.wishes).toEqual([`${partMemoryBytes(PART_BYTES)} of Infinity`]);
  });

  test('is none at the end of a stream, and nothing is kept', async () => {
    const { prepare, memory, options } = await preparation({ sizeBytes: 0, isSizeKnown: false });
    expect(await finish(prepare(FIRST))).toBeUndefined();
    await vi.advanceTimersByTimeAsync(0);
    expect(options.partPermits.activeCount).toBe(0);
    expect(await finish(memory.acquire(100 * MIB, 1, never()))).toBeDefined();
  });

  test('of a later range reads from there', async () => {
    const { prepare, memory, options, workshop } = await preparation({ sizeBytes: 9 * MIB });
    await finish(prepare(FIRST));
    const rest = { firstByte: PART_BYTES, endByte: 9 * MIB };
    expect((await finish(prepare(rest)))?.prepared).toMatchObject(rest);
    // As much as its siblings, so that memory is used again.
    expect(memory.wishes[1]).toBe(`${partMemoryBytes(PART_BYTES)} of ${4 * MIB}`);
    expect(workshop.jobs[1]).toBe(`preparePart ${PART_BYTES}-${9 * MIB}`);
    expect(options.partPermits.activeCount).toBe(2);
  });
});

describe('the memory of a layer of one part', () => {
  test.each([
    { sizeBytes: 1, stepBytes: 64 * KIB },
    { sizeBytes: 64 * KIB, stepBytes: 64 * KIB },
    { sizeBytes: 64 * KIB + 1, stepBytes: 256 * KIB },
    { sizeBytes: 256 * KIB + 1, stepBytes: MIB },
    { sizeBytes: MIB + 1, stepBytes: 4 * MIB },
    { sizeBytes: 4 * MIB + 1, stepBytes: PART_BYTES },
    { sizeBytes: PART_BYTES, stepBytes: PART_BYTES },
  ])('is one of a few sizes: $sizeBytes bytes have room for $stepBytes', async (row) => {
    const { sizeBytes, stepBytes } = row;
    const { prepare, memory } = await preparation({ sizeBytes });
    await finish(prepare({ firstByte: 0, endByte: sizeBytes }));
    expect(memory.wishes).toEqual([
      expect.stringMatching(new RegExp(`^${partMemoryBytes(stepBytes)} of `)),
    ]);
  });

  test('comes before that of larger layers where it is a MiB at most', async () => {
    for (const { sizeBytes, remaining } of [
      { sizeBytes: MIB, remaining: 'Infinity' },
      { sizeBytes: MIB + 1, remaining: `${MIB + 1}` },
    ]) {
      const { prepare, memory } = await preparation({ sizeBytes });
      await finish(prepare({ firstByte: 0, endByte: sizeBytes }));
      expect(memory.wishes).toEqual([expect.stringMatching(new RegExp(` of ${remaining}$`))]);
    }
  });

  test('has room for a part that is larger than the others', async () => {
    const { prepare, memory } = await preparation({ sizeBytes: 9 * MIB, isSizeKnown: false });
    await finish(prepare({ firstByte: 0, endByte: 8 * MIB }));
    expect(memory.wishes).toEqual([`${partMemoryBytes(8 * MIB)} of Infinity`]);
  });
});

describe('a part that cannot be prepared', () => {
  test('gives memory and permit back when the worker fails', async () => {
    const { prepare, memory, options, workshop } = await preparation({ sizeBytes: 9 * MIB });
    const error = new Error('no such file');
    workshop.fail('preparePart', error);
    expect(await failureOf(prepare(FIRST))).toBe(error);
    expect(options.partPermits.activeCount).toBe(0);
    expect(memory.preparingCount).toBe(0);
    expect(await finish(memory.acquire(100 * MIB, 1, never()))).toBeDefined();
  });

  test('gives the permit back where there is no memory for it', async () => {
    const { prepare, options } = await preparation(
      { sizeBytes: 9 * MIB },
      { memory: new PartMemory(MIB) },
    );
    expect(await failureOf(prepare(FIRST))).toBeInstanceOf(RangeError);
    expect(options.partPermits.activeCount).toBe(0);
  });

  test('keeps its memory after an abort until the source has let go of it', async () => {
    const abort = new AbortController();
    let letGo = (): void => undefined;
    const { prepare, memory, options } = await preparation({
      sizeBytes: 9 * MIB,
      beforeRead: () => new Promise((resolve) => (letGo = resolve)),
    });
    const reason = new Error('enough');
    const failing = failureOf(prepare(FIRST, abort.signal));
    await vi.advanceTimersByTimeAsync(1);
    abort.abort(reason);
    expect(await failing).toBe(reason);
    expect(options.partPermits.activeCount).toBe(1);
    letGo();
    await vi.advanceTimersByTimeAsync(0);
    expect(options.partPermits.activeCount).toBe(0);
    expect(await finish(memory.acquire(100 * MIB, 1, never()))).toBeDefined();
  });

  test('is not handed out after an abort while the worker was at it', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const { prepare, options } = await preparation(
      { sizeBytes: 9 * MIB },
      {
        framePart: () => {
          abort.abort(reason);
          return { prefix: '', suffix: '' };
        },
      },
    );
    expect(await failureOf(prepare(FIRST, abort.signal))).toBe(reason);
    expect(options.partPermits.activeCount).toBe(0);
  });

  test('of a source that ends too early tells where', async () => {
    const { prepare } = await preparation({ sizeBytes: 9 * MIB, actualBytes: 6 * MIB });
    await finish(prepare(FIRST));
    expect(await failureOf(prepare({ firstByte: PART_BYTES, endByte: 9 * MIB }))).toMatchObject({
      code: 'E_SOURCE_CHANGED',
      details: { expectedSizeBytes: 9 * MIB, actualSizeBytes: 6 * MIB },
    });
  });
});

describe('the end of a source', () => {
  test('is where it was said to be: one byte more is told of', async () => {
    const { options } = await preparation({ sizeBytes: 9 * MIB, actualBytes: 9 * MIB + 1 });
    const ending = assertSourceEnds(options.source, 'the layer', 9 * MIB, never());
    expect(await failureOf(ending)).toMatchObject({
      code: 'E_SOURCE_CHANGED',
      message: expect.stringContaining('the layer changed'),
      details: { expectedSizeBytes: 9 * MIB, actualSizeBytes: 9 * MIB + 1 },
    });
  });

  test('is asked of the source itself: has it changed', async () => {
    const changed = new Error('it has');
    for (const source of [
      { sizeBytes: 9 * MIB },
      { sizeBytes: 9 * MIB, path: '/a/blob' },
      { sizeBytes: 9 * MIB, isSizeKnown: false, actualBytes: 10 * MIB },
    ]) {
      const assertUnchanged = (): Promise<void> => Promise.reject(changed);
      const { options } = await preparation({ ...source, assertUnchanged });
      const ending = assertSourceEnds(options.source, 'the layer', 9 * MIB, never());
      expect(await failureOf(ending)).toBe(changed);
    }
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
