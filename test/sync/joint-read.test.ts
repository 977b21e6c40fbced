import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LayerSource } from '../../src/layer/layer-source.ts';
import type { StartTimer } from '../../src/sync/joint-pass.ts';
import { SharedReads } from '../../src/sync/joint-read.ts';
import { type CountedSource, type CountedSourceOptions, countedSource } from './counted-source.ts';
import { VirtualTime } from './virtual-time.ts';

const KIB = 1024;
const quiet = (): AbortSignal => new AbortController().signal;

interface ReadOptions {
  readonly chunkBytes?: number;
  /** Before it opens, and before each read. */
  readonly openDelayMs?: number;
  readonly readDelayMs?: number;
  readonly stopAtByte?: number;
  readonly signal?: AbortSignal;
}

/** Reads as the engine does: parts in order, then whether there is more, then is it unchanged. */
async function readAll(
  time: VirtualTime,
  source: LayerSource,
  sizeBytes: number,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  const { chunkBytes = 100 * KIB, openDelayMs = 0, readDelayMs = 0, stopAtByte } = options;
  const { signal = quiet() } = options;
  if (openDelayMs > 0) await time.sleep(openDelayMs);
  const opened = await source.open(signal);
  try {
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    while (at < Math.min(sizeBytes, stopAtByte ?? sizeBytes)) {
      if (readDelayMs > 0) await time.sleep(readDelayMs);
      const area = bytes.subarray(at, at + chunkBytes);
      const count = await opened.read(area, at, signal);
      at += count;
      if (count < area.length) break;
    }
    if (stopAtByte === undefined) {
      const surplus = await opened.read(new Uint8Array(1), at, signal);
      if (surplus > 0) throw new Error('there is more than there should be');
      await opened.assertUnchanged();
    }
    return bytes.subarray(0, at);
  } finally {
    await opened.close();
  }
}

function expectNothingLeft(time: VirtualTime, source: CountedSource): void {
  expect({
    timers: time.timerCount,
    open: source.openCount(),
    reading: source.readingCount(),
  }).toEqual({ timers: 0, open: 0, reading: 0 });
}

interface Rig {
  readonly time: VirtualTime;
  readonly source: CountedSource;
  readonly reads: ReturnType<SharedReads['share']>;
}

function share(readerCount: number, options: Partial<CountedSourceOptions> = {}): Rig {
  const time = new VirtualTime();
  const source = countedSource({ sizeBytes: 1300 * KIB, ...options });
  const reads = new SharedReads({ startTimer: time.startTimer }).share(source, readerCount);
  return { time, source, reads };
}

function all(
  rig: Rig,
  options: readonly ReadOptions[],
): Promise<PromiseSettledResult<Uint8Array>[]> {
  const { time, source, reads } = rig;
  return time.runUntil(
    Promise.allSettled(
      reads.map(({ source: shared }, index) =>
        readAll(time, shared, source.bytes.length, options[index]),
      ),
    ),
  );
}

function expectBytes(rig: Rig, results: readonly PromiseSettledResult<Uint8Array>[]): void {
  const isWhole = results.map(
    (result) =>
      result.status === 'fulfilled' && Buffer.compare(result.value, rig.source.bytes) === 0,
  );
  expect(isWhole).toEqual(results.map(() => true));
}

describe('a source that several read', () => {
  test('is read once, whatever the sizes of their parts', async () => {
    const rig = share(3);
    const results = await all(rig, [{ chunkBytes: 7 * KIB }, { chunkBytes: 2000 * KIB }, {}]);
    expectBytes(rig, results);
    expect(rig.source.starts).toEqual([0]);
    expect(rig.source.readBytes()).toBe(rig.source.bytes.length);
    expectNothingLeft(rig.time, rig.source);
    expect(rig.reads[0]?.source).toMatchObject({ label: 'counted', digest: rig.source.digest });
  });

  test('of unknown size is read once as well', async () => {
    const rig = share(2, { saidBytes: undefined });
    expectBytes(rig, await all(rig, []));
    expect(rig.source.starts).toEqual([0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('and that has more than it said lets all of them know', async () => {
    const rig = share(2, { saidBytes: 1299 * KIB });
    const reading = rig.reads.map(({ source }) => readAll(rig.time, source, 1299 * KIB));
    const results = await rig.time.runUntil(Promise.allSettled(reading));
    for (const result of results) {
      expect(result).toMatchObject({ reason: { message: 'there is more than there should be' } });
    }
    expectNothingLeft(rig.time, rig.source);
  });

  test('waits for those who open later, up to the wait for joining', async () => {
    const rig = share(3);
    const results = await all(rig, [{}, { openDelayMs: 9000 }, { openDelayMs: 12_000 }]);
    expectBytes(rig, results);
    // The third one reads by itself.
    expect(rig.source.starts).toEqual([0, 0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('does not wait for one that leaves', async () => {
    const rig = share(3);
    rig.reads[1]?.leave();
    rig.reads[1]?.leave();
    const reading = [0, 2].map((index) =>
      readAll(rig.time, rig.reads[index]?.source ?? rig.source, rig.source.bytes.length),
    );
    await rig.time.runUntil(Promise.all(reading));
    expect(rig.time.nowMs).toBe(0);
    expect(rig.source.starts).toEqual([0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('goes straight to the only one that wants it', async () => {
    const rig = share(2);
    rig.reads[0]?.leave();
    const { time, source } = rig;
    const shared = rig.reads[1]?.source ?? source;
    await time.runUntil(readAll(time, shared, source.bytes.length, { chunkBytes: 1300 * KIB }));
    expect(source.starts).toEqual([0]);
    expectNothingLeft(time, source);
  });

  test('goes on without one that is too slow, which reads on from where it was', async () => {
    const rig = share(2);
    const results = await all(rig, [{}, { readDelayMs: 2500, chunkBytes: 600 * KIB }]);
    expectBytes(rig, results);
    // It was given the first piece of 512 KiB, and part of the second.
    expect(rig.source.starts).toEqual([0, 600 * KIB]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('goes on with one that is slow, but not too slow', async () => {
    const rig = share(2);
    expectBytes(rig, await all(rig, [{}, { readDelayMs: 1900, chunkBytes: 600 * KIB }]));
    expect(rig.source.starts).toEqual([0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('that cannot begin in the middle is read from the start by one that was too slow', async () => {
    const rig = share(2, { startsAnywhere: false });
    expectBytes(rig, await all(rig, [{}, { readDelayMs: 2500, chunkBytes: 600 * KIB }]));
    expect(rig.source.starts).toEqual([0, 0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('that can be read only once fails for one that was too slow', async () => {
    const rig = share(2, { rereadable: false });
    const [fast, slow] = await all(rig, [{}, { readDelayMs: 2500, chunkBytes: 600 * KIB }]);
    expect(fast?.status).toBe('fulfilled');
    expect(slow).toMatchObject({ reason: { code: 'E_SOURCE_UNREADABLE' } });
    expectNothingLeft(rig.time, rig.source);
  });

  test('that is a file is left to the threads of each', async () => {
    const { time, source, reads } = share(2, { path: '/some/file' });
    const opened = await time.runUntil(
      Promise.all(reads.map(({ source: shared }) => shared.open(quiet()))),
    );
    expect(opened.map(({ path }) => path)).toEqual(['/some/file', '/some/file']);
    for (const one of opened) await one.close();
    expectNothingLeft(time, source);
  });

  test('fails for all with the same error', async () => {
    const failure = new Error('the disk is gone');
    const rig = share(3, { failsAt: 700 * KIB, failure });
    const results = await all(rig, [{}, { chunkBytes: 33 * KIB }, {}]);
    for (const result of results) expect(result).toEqual({ status: 'rejected', reason: failure });
    expect(rig.source.starts).toEqual([0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('that cannot be opened fails for all as well', async () => {
    const openFailure = new Error('no such blob');
    const rig = share(2, { openFailure });
    for (const result of await all(rig, [])) {
      expect(result).toEqual({ status: 'rejected', reason: openFailure });
    }
    expectNothingLeft(rig.time, rig.source);
  });

  test('is read on for the others when one is aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const rig = share(3);
    const working = all(rig, [{}, { signal: abort.signal, readDelayMs: 100 }, {}]);
    void rig.time.sleep(450).then(() => abort.abort(reason));
    const [first, second, third] = await working;
    expectBytes(
      rig,
      [first, third].filter((result) => result !== undefined),
    );
    expect(second).toEqual({ status: 'rejected', reason });
    expect(rig.source.starts).toEqual([0]);
    expectNothingLeft(rig.time, rig.source);
  });

  test('is read on for the others when one closes in the middle', async () => {
    const rig = share(2);
    const [whole] = await all(rig, [{}, { stopAtByte: 600 * KIB }]);
    expectBytes(rig, whole === undefined ? [] : [whole]);
    expect(rig.time.nowMs).toBe(0);
    expectNothingLeft(rig.time, rig.source);
  });

  test('is no longer read when all have closed', async () => {
    const rig = share(2);
    await all(rig, [{ stopAtByte: 1 }, { stopAtByte: 1 }]);
    expect(rig.source.readBytes()).toBe(512 * KIB);
    expectNothingLeft(rig.time, rig.source);
  });

  test('is read anew by one that starts again, and the others go on', async () => {
    const { time, source, reads } = share(2);
    const sizeBytes = source.bytes.length;
    const [first, second] = reads.map((read) => read.source);
    if (first === undefined || second === undefined) throw new Error('there are two');
    const restarting = async (): Promise<Uint8Array> => {
      const opened = await first.open(quiet());
      await opened.read(new Uint8Array(1000), 0, quiet());
      // As the engine does, it closes the first one at the very end.
      try {
        return await readAll(time, first, sizeBytes);
      } finally {
        await opened.close();
      }
    };
    const results = await time.runUntil(
      Promise.all([restarting(), readAll(time, second, sizeBytes)]),
    );
    for (const bytes of results) expect(Buffer.compare(bytes, source.bytes)).toBe(0);
    expect(source.starts).toEqual([0, 0]);
    expect(time.nowMs).toBe(0);
    expectNothingLeft(time, source);
  });

  test('lets nobody wait for one that was aborted before the others came', async () => {
    const { time, source, reads } = share(2);
    const abort = new AbortController();
    const [first, second] = reads.map((read) => read.source);
    const opening = first?.open(abort.signal);
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    expect(time.timerCount).toBe(0);
    await time.runUntil(readAll(time, second ?? source, source.bytes.length));
    expect(time.nowMs).toBe(0);
    expectNothingLeft(time, source);
  });
});

describe('whatever readers do', () => {
  const reader = fc.record({
    chunkBytes: fc.integer({ min: 1, max: 1200 }).map((kib) => kib * KIB + 1),
    openDelayMs: fc.constantFrom(0, 0, 0, 5, 3000, 9999, 10_001, 30_000),
    readDelayMs: fc.constantFrom(0, 0, 0, 10, 400, 1999, 2001, 10_001),
    fate: fc.constantFrom('reads', 'reads', 'reads', 'leaves', 'stops', 'is aborted'),
    atMs: fc.constantFrom(0, 1, 500, 5000, 20_000),
    stopAtByte: fc.integer({ min: 0, max: 1500 * KIB }),
  });
  const cases = fc.record({
    readers: fc.array(reader, { minLength: 1, maxLength: 6 }),
    sizeBytes: fc.oneof(fc.constantFrom(0, 1, 512 * KIB, 1024 * KIB), fc.nat({ max: 1500 * KIB })),
    isSizeKnown: fc.boolean(),
    startsAnywhere: fc.boolean(),
    failsAt: fc.option(fc.nat({ max: 1500 * KIB }), { nil: undefined, freq: 4 }),
    isSlow: fc.boolean(),
  });

  test('each gets exactly the bytes, or the error; and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ readers, sizeBytes, isSizeKnown, isSlow, ...given }) => {
        const time = new VirtualTime();
        const failure = new Error('the source failed');
        const source = countedSource({
          sizeBytes,
          saidBytes: isSizeKnown ? sizeBytes : undefined,
          startsAnywhere: given.startsAnywhere,
          failure,
          ...(given.failsAt !== undefined && { failsAt: given.failsAt }),
          beforeRead: () => (isSlow ? time.sleep(700) : Promise.resolve()),
        });
        const timers = new Set<() => void>();
        const startTimer: StartTimer = (delayMs, run) => {
          const stop = time.startTimer(delayMs, () => {
            timers.delete(stop);
            run();
          });
          timers.add(stop);
          return () => {
            timers.delete(stop);
            stop();
          };
        };
        const reads = new SharedReads({ startTimer }).share(source, readers.length);
        const working = readers.map(async ({ fate, atMs, stopAtByte, ...options }, index) => {
          const read = reads[index];
          if (read === undefined) throw new Error('one for each');
          if (fate === 'leaves') {
            await time.sleep(atMs);
            read.leave();
            return undefined;
          }
          const abort = new AbortController();
          if (fate === 'is aborted') void time.sleep(atMs).then(() => abort.abort('aborted'));
          return readAll(time, read.source, sizeBytes, {
            ...options,
            signal: abort.signal,
            ...(fate === 'stops' && { stopAtByte }),
          });
        });
        const results = await time.runUntil(Promise.allSettled(working));
        // This source hears of an abort only when it has its bytes.
        await time.runUntil(time.sleep(700));
        await time.settle();
        const isRight = results.map((result, index) => {
          const fate = readers[index]?.fate;
          if (result.status === 'rejected') {
            if (fate === 'is aborted' && result.reason === 'aborted') return true;
            return result.reason === failure && given.failsAt !== undefined;
          }
          const bytes = result.value;
          if (bytes === undefined) return fate === 'leaves';
          if (fate !== 'stops' && bytes.length !== sizeBytes) return false;
          return Buffer.compare(bytes, source.bytes.subarray(0, bytes.length)) === 0;
        });
        expect(isRight).toEqual(results.map(() => true));
        expect(timers.size).toBe(0);
        expect(source.openCount()).toBe(0);
        expect(source.readingCount()).toBe(0);
        const isPunctual = readers.every(
          ({ openDelayMs, readDelayMs }) => openDelayMs < 10_000 && readDelayMs === 0,
        );
        expect(source.starts.length).toBeLessThanOrEqual(isPunctual ? 1 : readers.length + 1);
      }),
      { numRuns: 200 },
    );
  });
});
