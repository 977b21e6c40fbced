import { describe, expect, test, vi } from 'vitest';
import { type PartMemory, partMemoryBytes } from '../../src/layer/part-memory.ts';
import type { ByteRange } from '../../src/layer/ports.ts';
import { hashBeforehand } from '../../src/layer/prehash.ts';
import { foldSource } from '../../src/layer/source-fold.ts';
import { WatchedSource } from '../../src/layer/watched-source.ts';
import { MIB } from '../../src/limits.ts';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { digestOfSize } from './model-registry.ts';
import { ModelSource, type ModelSourceOptions } from './model-source.ts';
import { ModelWorkshop, savedAt } from './model-workshop.ts';
import { NotedMemory } from './noted-memory.ts';

withClock();

async function folding(source: ModelSourceOptions, pieceBytesMax = 4 * MIB) {
  const rig = layerRig();
  const model = new ModelSource(source);
  const watched = await finish(
    WatchedSource.open(model, 2_000, rig.progress, new AbortController().signal),
  );
  const memory = new NotedMemory();
  const workshop = new ModelWorkshop();
  const hash = workshop.openHash('the layer', { saved: undefined });
  const counter = new SharedArrayBuffer(8);
  const abort = new AbortController();
  const fold = (range: ByteRange, isFolded = true) =>
    foldSource(
      { source: watched, sourceLabel: 'the layer', hash, memory, counter, pieceBytesMax },
      range,
      isFolded,
      abort.signal,
    );
  return {
    fold,
    watched,
    memory,
    workshop,
    abort,
    progress: () => new Float64Array(counter)[0],
    hashIt: () => hashBeforehand(watched, 'the layer', workshop, memory, counter, abort.signal),
  };
}

describe('a source that is read on', () => {
  test('is folded piece by piece, and the digest can be saved where that ends', async () => {
    const { fold, workshop, memory, progress } = await folding({ sizeBytes: 20 * MIB });
    expect(await finish(fold({ firstByte: 0, endByte: 10 * MIB }))).toEqual(savedAt(10 * MIB));
    expect(workshop.jobs).toEqual([
      `fold 0-${4 * MIB}`,
      `fold ${4 * MIB}-${8 * MIB}`,
      `fold ${8 * MIB}-${10 * MIB}`,
    ]);
    expect(progress()).toBe(10 * MIB);
    expect(memory.wishes).toEqual([`${partMemoryBytes(4 * MIB)} of ${20 * MIB}`]);
    expect(memory.preparedCount).toBe(3);
    expect(memory.preparingCount).toBe(0);
    await expectGivenBack(memory);
  });

  test('begins where the last reading ended', async () => {
    const { fold, memory } = await folding({ sizeBytes: 20 * MIB });
    await finish(fold({ firstByte: 0, endByte: 3 * MIB }));
    await finish(fold({ firstByte: 3 * MIB, endByte: 4 * MIB }));
    expect(memory.wishes[1]).toBe(`${partMemoryBytes(MIB)} of ${17 * MIB}`);
  });

  test('takes no larger pieces than 10 MiB, however large they may be', async () => {
    const { fold, memory } = await folding({ sizeBytes: 30 * MIB }, 30 * MIB);
    await finish(fold({ firstByte: 0, endByte: 30 * MIB }));
    expect(memory.wishes).toEqual([`${partMemoryBytes(10 * MIB)} of ${30 * MIB}`]);
  });

  test('is not folded where the digest is that far already', async () => {
    const { fold, workshop, memory, progress } = await folding({
      sizeBytes: 20 * MIB,
      isSizeKnown: false,
    });
    expect(await finish(fold({ firstByte: 0, endByte: 10 * MIB }, false))).toBeUndefined();
    expect(workshop.jobs).toEqual([]);
    expect(progress()).toBe(10 * MIB);
    expect(memory.wishes).toEqual([`${partMemoryBytes(4 * MIB)} of Infinity`]);
  });

  test('is read by the workers where it is a file, 32 MiB at once and without memory', async () => {
    const { fold, workshop, memory } = await folding({
      sizeBytes: 70 * MIB,
      path: '/a/blob',
      pathOffsetBytes: 5,
    });
    await finish(fold({ firstByte: 0, endByte: 70 * MIB }));
    expect(workshop.jobs).toEqual([
      `fold /a/blob+5 0-${32 * MIB}`,
      `fold /a/blob+5 ${32 * MIB}-${64 * MIB}`,
      `fold /a/blob+5 ${64 * MIB}-${70 * MIB}`,
    ]);
    await vi.advanceTimersByTimeAsync(0);
    expect([memory.wishes, memory.releasedCount]).toEqual([[], 0]);
  });

  test('begins at the first byte of a file that is nothing else', async () => {
    const { fold, workshop } = await folding({ sizeBytes: 7, path: '/a/blob' });
    await finish(fold({ firstByte: 0, endByte: 7 }));
    expect(workshop.jobs).toEqual(['fold /a/blob+0 0-7']);
  });

  test('keeps no thread busy while the source gives nothing', async () => {
    let busy: number | undefined;
    const { fold, memory } = await folding({
      sizeBytes: MIB,
      beforeRead: async () => {
        busy = memory.preparingCount;
      },
    });
    await finish(fold({ firstByte: 0, endByte: MIB }));
    expect(busy).toBe(0);
  });

  test('that ends too early is told of as changed', async () => {
    for (const isSizeKnown of [true, false]) {
      const { fold, memory } = await folding({
        sizeBytes: 9 * MIB,
        actualBytes: 6 * MIB,
        isSizeKnown,
      });
      expect(await failureOf(fold({ firstByte: 0, endByte: 7 * MIB }))).toMatchObject({
        code: 'E_SOURCE_CHANGED',
        details: {
          source: 'the layer',
          expectedSizeBytes: isSizeKnown ? 9 * MIB : 7 * MIB,
          actualSizeBytes: 6 * MIB,
        },
      });
      await expectGivenBack(memory);
    }
  });

  test('is read no further when a worker fails', async () => {
    const { fold, workshop, memory } = await folding({ sizeBytes: 20 * MIB });
    const error = new Error('no');
    workshop.fail('fold', error);
    expect(await failureOf(fold({ firstByte: 0, endByte: 10 * MIB }))).toBe(error);
    expect(memory.preparingCount).toBe(0);
    expect(workshop.jobs).toHaveLength(1);
    await expectGivenBack(memory);
  });

  test('is read no further after an abort, and its memory is kept until it has let go of it', async () => {
    let letGo = (): void => undefined;
    const { fold, abort, memory } = await folding({
      sizeBytes: 20 * MIB,
      beforeRead: () => new Promise((resolve) => (letGo = resolve)),
    });
    const reason = new Error('enough');
    const failing = failureOf(fold({ firstByte: 0, endByte: 10 * MIB }));
    await vi.advanceTimersByTimeAsync(1);
    abort.abort(reason);
    expect(await failing).toBe(reason);
    let isGiven = false;
    const all = memory.acquire(100 * MIB, 1, new AbortController().signal).then(() => {
      isGiven = true;
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(isGiven).toBe(false);
    letGo();
    await finish(all);
  });

  test('of a file is hashed no further after an abort', async () => {
    const { fold, abort, workshop } = await folding({ sizeBytes: 70 * MIB, path: '/a/blob' });
    const reason = new Error('enough');
    const failing = failureOf(fold({ firstByte: 0, endByte: 70 * MIB }));
    abort.abort(reason);
    expect(await failing).toBe(reason);
    expect(workshop.jobs).toHaveLength(1);
  });

  test('fails with the reason of an abort at the last byte too', async () => {
    const { fold, abort } = await folding({ sizeBytes: 7, path: '/a/blob' });
    const reason = new Error('enough');
    const failing = failureOf(fold({ firstByte: 0, endByte: 7 }));
    abort.abort(reason);
    expect(await failing).toBe(reason);
  });
});

describe('a source that is hashed beforehand', () => {
  test('is read from its first byte to its last, and the digest let go', async () => {
    const { hashIt, workshop, progress } = await folding({ sizeBytes: 12 * MIB });
    const { openCount } = workshop;
    expect(await finish(hashIt())).toBe(digestOfSize(12 * MIB));
    expect(workshop.jobs).toEqual([`fold 0-${10 * MIB}`, `fold ${10 * MIB}-${12 * MIB}`]);
    expect(progress()).toBe(12 * MIB);
    expect(workshop.openCount).toBe(openCount);
    expect(workshop.portables.at(-1)).toBeUndefined();
  });

  test('lets the digest go when that fails', async () => {
    const { hashIt, workshop } = await folding({ sizeBytes: 12 * MIB });
    const { openCount } = workshop;
    workshop.fail('digest');
    expect(await failureOf(hashIt())).toMatchObject({ code: 'E_WORKER_LOST' });
    expect(workshop.openCount).toBe(openCount);
  });

  test('by a worker must not have changed meanwhile', async () => {
    const changed = new Error('it has');
    const { hashIt, workshop } = await folding({
      sizeBytes: 7,
      path: '/a/blob',
      assertUnchanged: () => Promise.reject(changed),
    });
    expect(await failureOf(hashIt())).toBe(changed);
    expect(workshop.jobs).toEqual(['hashFile /a/blob+0 0-7']);
  });
});

/** All of it can be had in one piece. */
async function expectGivenBack(memory: PartMemory): Promise<void> {
  const all = memory.acquire(100 * MIB, 1, new AbortController().signal);
  expect((await finish(all)).byteLength).toBe(100 * MIB);
}
