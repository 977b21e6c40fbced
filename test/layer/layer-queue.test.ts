import { describe, expect, test, vi } from 'vitest';
import type { LayerEvent } from '../../src/layer/layer-events.ts';
import { LayerQueue } from '../../src/layer/layer-queue.ts';
import type { LayerOrder } from '../../src/layer/upload-context.ts';
import { MIB } from '../../src/limits.ts';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { digestOfSize, faultOf, ModelRegistry, REPOSITORY } from './model-registry.ts';
import { ModelSource } from './model-source.ts';

withClock();

/** Layers one after the other, or as many at once as is said. */
function queueOf(layersInFlight = 1) {
  const rig = layerRig();
  const events: LayerEvent[] = [];
  const queue = new LayerQueue(rig.context, layersInFlight);
  const run = (
    sizeMib: number,
    { signal = rig.abort.signal, ...options }: RunOptions = {},
    order: Partial<LayerOrder> = {},
  ) =>
    queue.run(
      {
        repository: REPOSITORY,
        source: new ModelSource({ sizeBytes: sizeMib * MIB }),
        expectedDigest: undefined,
        presence: 'ask',
        ...order,
      },
      signal,
      (event) => void events.push(event),
      options,
    );
  const typesOf = (layerId: number) =>
    events.filter((event) => event.layerId === layerId).map(({ type }) => type);
  return { rig, queue, run, events, typesOf };
}

type RunOptions = NonNullable<Parameters<LayerQueue['run']>[3]> & { readonly signal?: AbortSignal };

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

describe('the queue of layers', () => {
  test('gives a receipt, tells of it, and counts', async () => {
    const { rig, queue, run, events } = queueOf();
    rig.registry.answer('initiateUpload', async (own) => {
      await after(40);
      return own();
    });
    const receipt = await finish(run(7), 10);
    expect(receipt).toEqual({
      repository: REPOSITORY,
      source: 'the layer',
      digest: digestOfSize(7 * MIB),
      sizeBytes: 7 * MIB,
      outcome: 'uploaded',
      partCount: 2,
      sentBytes: 7 * MIB,
      resumedBytes: 0,
      durationMs: 40,
    });
    expect(events.at(-1)).toEqual({
      repository: REPOSITORY,
      source: 'the layer',
      layerId: 1,
      type: 'layer-completed',
      receipt,
    });
    expect(queue.snapshot()).toEqual({
      layers: [],
      uploadedLayerCount: 1,
      presentLayerCount: 0,
      failedLayerCount: 0,
      acceptedBytes: 7 * MIB,
      resentBytes: 0,
      bytesInMemory: rig.context.memory.allocatedBytes,
    });
    expect(queue.completedMark).toBe(1);
  });

  test('lets layers wait for their turn, in the order in which they came', async () => {
    const { rig, queue, run, typesOf } = queueOf(2);
    let isAnswered = false;
    for (const _layer of [1, 2]) {
      rig.registry.answer('initiateUpload', async (own) => {
        await after(100);
        isAnswered = true;
        return own();
      });
    }
    const layers = [1, 2, 3].map((sizeMib) => run(sizeMib));
    await vi.advanceTimersByTimeAsync(50);
    expect(isAnswered).toBe(false);
    expect(queue.snapshot().layers.map(({ layerId, state }) => [layerId, state])).toEqual([
      [1, 'sending'],
      [2, 'sending'],
      [3, 'waiting'],
    ]);
    expect(typesOf(3)).toEqual([]);
    await finish(Promise.all(layers));
    expect(typesOf(3)[0]).toBe('layer-started');
    expect(queue.snapshot()).toMatchObject({ layers: [], uploadedLayerCount: 3 });
  });

  test('lets small layers go beside large ones, and one after the other', async () => {
    const { rig, queue, run } = queueOf(1);
    const stayFor = (delayMs: number) =>
      rig.registry.answer('initiateUpload', async (own) => {
        await after(delayMs);
        return own();
      });
    stayFor(200);
    stayFor(100);
    const layers = [
      run(9, { sizeBytes: 9 * MIB }),
      run(8, { sizeBytes: 5 * MIB + 1 }),
      run(5, { sizeBytes: 5 * MIB }),
      run(1, { sizeBytes: MIB }),
      run(2),
    ];
    await vi.advanceTimersByTimeAsync(50);
    expect(queue.snapshot().layers.map(({ state }) => state)).toEqual([
      'sending',
      'waiting',
      'sending',
      'waiting',
      'waiting',
    ]);
    await finish(Promise.all(layers));
    expect(queue.snapshot()).toMatchObject({ uploadedLayerCount: 5 });
  });

  test('lets no more than sixteen small layers go at once', async () => {
    const { rig, queue, run } = queueOf(20);
    for (let layer = 0; layer < 36; layer += 1) {
      rig.registry.answer('initiateUpload', async (own) => {
        await after(100);
        return own();
      });
    }
    const layers = Array.from({ length: 18 }, (_, index) =>
      run(
        1,
        { sizeBytes: 1, signal: new AbortController().signal },
        { expectedDigest: digestOfSize(MIB), presence: 'ignore', repository: `app-${index}` },
      ),
    );
    for (let index = 0; index < 18; index += 1) rig.registry.repositories.add(`app-${index}`);
    await vi.advanceTimersByTimeAsync(50);
    const states = queue.snapshot().layers.map(({ state }) => state);
    expect(states.filter((state) => state === 'waiting')).toHaveLength(2);
    await finish(Promise.all(layers));
  });

  test('counts a layer that was there, and one that failed, and goes on', async () => {
    const { rig, queue, run, events } = queueOf();
    rig.registry.layers.add(`${REPOSITORY}@${digestOfSize(MIB)}`);
    await finish(run(1));
    rig.registry.answer('initiateUpload', faultOf('final', 'E_ACCESS_DENIED'));
    expect(await failureOf(run(2))).toMatchObject({ code: 'E_ACCESS_DENIED' });
    await finish(run(3));
    expect(queue.snapshot()).toMatchObject({
      uploadedLayerCount: 1,
      presentLayerCount: 1,
      failedLayerCount: 1,
    });
    expect(events.filter(({ type }) => type === 'layer-failed')).toMatchObject([
      { layerId: 2, code: 'E_ACCESS_DENIED', message: 'E_ACCESS_DENIED by the test' },
    ]);
  });

  test('uses the registry and the way with repositories that a call brings', async () => {
    const { rig, run } = queueOf();
    const registry = new ModelRegistry();
    registry.repositories.clear();
    expect(await failureOf(run(1, { registry }))).toMatchObject({
      code: 'E_REPOSITORY_NOT_FOUND',
    });
    await finish(run(1, { registry, createRepository: true }));
    expect(registry.layers.size).toBe(1);
    expect(rig.registry.calls).toEqual([]);
  });
});

describe('a layer that is aborted', () => {
  test('on its way is told of as aborted', async () => {
    const { rig, run, events } = queueOf();
    const reason = new Error('enough');
    rig.registry.answer('initiateUpload', async () => {
      rig.abort.abort(reason);
      throw faultOf('ambiguous', 'E_NETWORK');
    });
    expect(await failureOf(run(1))).toBe(reason);
    expect(events.at(-1)).toMatchObject({
      type: 'layer-failed',
      code: 'ABORTED',
      message: 'enough',
    });
  });

  test('while it waits for its turn is not begun', async () => {
    const { rig, run, events, typesOf } = queueOf();
    rig.registry.answer('initiateUpload', async (own) => {
      await after(100);
      return own();
    });
    const begin = new AbortController();
    const reason = new Error('no more');
    const first = run(1, { beginSignal: begin.signal });
    const second = failureOf(run(2, { beginSignal: begin.signal }));
    await vi.advanceTimersByTimeAsync(10);
    begin.abort(reason);
    expect(await second).toBe(reason);
    expect(typesOf(2)).toEqual(['layer-failed']);
    expect(events.at(-1)).toMatchObject({ layerId: 2, code: 'ABORTED', message: 'no more' });
    // What had begun goes on.
    expect(await finish(first)).toMatchObject({ outcome: 'uploaded' });
  });

  test('and fails for a reason of its own after the beginning is not called aborted', async () => {
    const { rig, run, events } = queueOf();
    const begin = new AbortController();
    rig.registry.answer('initiateUpload', async () => {
      begin.abort(new Error('no more'));
      throw faultOf('final', 'E_ACCESS_DENIED');
    });
    await failureOf(run(1, { beginSignal: begin.signal }));
    expect(events.at(-1)).toMatchObject({ type: 'layer-failed', code: 'E_ACCESS_DENIED' });
  });
});

describe('the layers that are seen', () => {
  test('have numbers of their own, also those that are only tracked', async () => {
    const { queue, run, typesOf } = queueOf();
    const events: LayerEvent[] = [];
    const progress = queue.track('team/app', 'an archive', (event) => void events.push(event));
    await finish(run(1));
    expect(typesOf(2).length).toBeGreaterThan(0);
    expect(queue.snapshot().layers).toMatchObject([{ layerId: 1, source: 'an archive' }]);
    progress.windowChanged(2);
    expect(events).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1);
    queue.untrack(progress);
    expect(queue.snapshot().layers).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('are told of when they stand still', async () => {
    const { queue } = queueOf();
    const events: LayerEvent[] = [];
    const progress = queue.track('team/app', 'an archive', (event) => void events.push(event));
    const work = progress.during('preparation', undefined, () => after(800));
    await finish(work, 125);
    expect(events).toMatchObject([{ type: 'layer-stalled', waitedMs: 500, action: 'none' }]);
    queue.untrack(progress);
  });
});
