import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import type { LayerSource, OpenSource } from '../../src/layer/layer-source.ts';
import { WatchedSource } from '../../src/layer/watched-source.ts';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';

const SILENCE_MS = 2_000;

withClock();

const opened: OpenSource = {
  sizeBytes: 7,
  rereadable: true,
  cheapToReread: true,
  path: '/a/blob',
  pathOffsetBytes: 3,
  file: { path: '/a/blob', stamp: 'as it was' },
  receivedBytes: 5,
  read: () => Promise.resolve(1),
  assertUnchanged: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** A source of other people's: what is given instead of the usual. */
function watch(inner: Partial<OpenSource>, open?: LayerSource['open']) {
  const rig = layerRig();
  const source: LayerSource = {
    label: 'a pipe',
    open:
      open ??
      (() =>
        Promise.resolve(
          Object.create(opened, Object.getOwnPropertyDescriptors(inner)) as OpenSource,
        )),
  };
  const { progress, abort } = rig;
  return { rig, open: () => WatchedSource.open(source, SILENCE_MS, progress, abort.signal) };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a source that is watched', () => {
  test('is what it is', async () => {
    const source = await finish(watch({}).open());
    const { sizeBytes, rereadable, cheapToReread, path, pathOffsetBytes, file, receivedBytes } =
      source;
    expect([
      sizeBytes,
      rereadable,
      cheapToReread,
      path,
      pathOffsetBytes,
      file,
      receivedBytes,
    ]).toEqual([7, true, true, '/a/blob', 3, opened.file, 5]);
    const other = await finish(
      watch({ rereadable: false, cheapToReread: false, sizeBytes: undefined }).open(),
    );
    expect([other.rereadable, other.cheapToReread, other.sizeBytes]).toEqual([
      false,
      false,
      undefined,
    ]);
  });

  test('gives its bytes where they are wanted', async () => {
    const reads: unknown[] = [];
    const { open, rig } = watch({
      read: async (target, firstByte, signal) => {
        reads.push([target, firstByte, signal]);
        return 4;
      },
    });
    const source = await finish(open());
    const target = new Uint8Array(9);
    expect(await finish(source.read(target, 11, rig.abort.signal))).toBe(4);
    expect(reads).toEqual([[target, 11, rig.abort.signal]]);
    expect(getEventListeners(rig.abort.signal, 'abort')).toEqual([]);
  });

  test('is waited for by that name while it opens', async () => {
    const { open, rig } = watch({}, async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return opened;
    });
    const opening = open();
    expect(rig.progress.movements).toEqual([{ key: 'wait 1', waitingFor: 'source', mark: '0 0' }]);
    await finish(opening);
    expect(rig.progress.movements).toEqual([]);
  });

  test('fails as it fails', async () => {
    const broken = new Error('broken');
    const fail = (): Promise<never> => Promise.reject(broken);
    expect(await failureOf(watch({}, fail).open())).toBe(broken);
    const { open, rig } = watch({ read: fail, assertUnchanged: fail });
    const source = await finish(open());
    expect(await failureOf(source.read(new Uint8Array(1), 0, rig.abort.signal))).toBe(broken);
    expect(await failureOf(source.assertUnchanged())).toBe(broken);
    expect(rig.events).toEqual([]);
  });
});

describe('a source that is silent', () => {
  const silent = {
    code: 'E_SOURCE_UNREADABLE',
    message: expect.stringContaining(`a pipe: it gave nothing for ${SILENCE_MS} ms`),
    details: { source: 'a pipe', systemCode: 'ETIMEDOUT' },
  };

  test('is given up after its time, and told of', async () => {
    const { open, rig } = watch({ read: never, receivedBytes: undefined });
    const source = await finish(open());
    const reading = source.read(new Uint8Array(1), 0, rig.abort.signal);
    const failure = failureOf(reading);
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 50);
    expect(rig.events).toEqual([]);
    expect(await failure).toMatchObject(silent);
    expect(rig.eventsOf('layer-stalled')).toMatchObject([
      { waitingFor: 'source', waitedMs: SILENCE_MS, action: 'failed' },
    ]);
  });

  test('is given up while it opens, and closed if it does after all', async () => {
    let answer: (source: OpenSource) => void = () => undefined;
    const { open } = watch({}, () => new Promise((resolve) => (answer = resolve)));
    expect(await failureOf(open())).toMatchObject(silent);
    let closedCount = 0;
    answer({
      ...opened,
      close: async () => {
        closedCount += 1;
        throw new Error('nobody hears of that');
      },
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(closedCount).toBe(1);
  });

  test('is given up while it looks whether it has changed', async () => {
    const { open } = watch({ assertUnchanged: never });
    const source = await finish(open());
    expect(await failureOf(source.assertUnchanged())).toMatchObject(silent);
  });

  test('is not one that gives little now and then', async () => {
    let receivedBytes = 0;
    let end: (lengthBytes: number) => void = () => undefined;
    const { open, rig } = watch({
      read: () => new Promise((resolve) => (end = resolve)),
      get receivedBytes() {
        return receivedBytes;
      },
    });
    const source = await finish(open());
    const reading = source.read(new Uint8Array(1), 0, rig.abort.signal);
    for (let round = 0; round < 10; round += 1) {
      receivedBytes += 1;
      await vi.advanceTimersByTimeAsync(SILENCE_MS - 50);
    }
    end(1);
    expect(await finish(reading)).toBe(1);
    expect(rig.events).toEqual([]);
  });
});

describe('whoever waits for a source', () => {
  test('is let go by an abort, but its memory only when the source has settled', async () => {
    let end: (lengthBytes: number) => void = () => undefined;
    const { open, rig } = watch({ read: () => new Promise((resolve) => (end = resolve)) });
    const source = await finish(open());
    let isIdle = false;
    const reason = new Error('enough');
    const reading = source.read(new Uint8Array(1), 0, rig.abort.signal);
    void source.idle.then(() => {
      isIdle = true;
    });
    rig.abort.abort(reason);
    expect(await failureOf(reading)).toBe(reason);
    expect(isIdle).toBe(false);
    end(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(isIdle).toBe(true);
  });

  test('is let go by an abort of the upload while it is asked whether it has changed', async () => {
    const { open, rig } = watch({ assertUnchanged: never });
    const source = await finish(open());
    const reason = new Error('enough');
    const asking = failureOf(source.assertUnchanged());
    rig.abort.abort(reason);
    expect(await asking).toBe(reason);
  });

  test('does not wait for it to close for longer than five seconds', async () => {
    const source = await finish(watch({ close: never }).open());
    let isClosed = false;
    const closing = source.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isClosed).toBe(true);
    await closing;
  });

  test('hears of it when it cannot be closed, and no timer is left', async () => {
    const broken = new Error('broken');
    const source = await finish(watch({ close: () => Promise.reject(broken) }).open());
    expect(await failureOf(source.close())).toBe(broken);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is told that it is idle though its last read has failed', async () => {
    const { open, rig } = watch({ read: () => Promise.reject(new Error('broken')) });
    const source = await finish(open());
    await failureOf(source.read(new Uint8Array(1), 0, rig.abort.signal));
    expect(await finish(source.idle)).toBe(undefined);
  });
});
