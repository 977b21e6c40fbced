import { describe, expect, test } from 'vitest';
import type { ImageEvent } from '../../src/index.ts';
import { bytesSource } from '../../src/index.ts';
import type { ImagePlan } from '../../src/image/image-plan.ts';
import { MIB } from '../../src/limits.ts';
import { digestOf, makeImage } from '../image/memory-image.ts';
import { callCounts, expectStored, reasonOf } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { pushInto, signal, startTargetRig } from './target-rig.ts';

const layer = layerBytes(6 * MIB);
const image = makeImage({ layers: [layer] });
const small = makeImage({ layers: [layerBytes(100, 3)] });

function later() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('beforeTransfer', () => {
  test('is awaited when all is known and before anything is made', async () => {
    await using rig = await startTargetRig();
    const { emulator, target } = rig;
    let seen: ImagePlan | undefined;
    const order: string[] = [];
    await pushInto(
      target,
      'new/one',
      image,
      {
        createRepository: true,
        beforeTransfer: async (plan) => {
          seen = plan;
          await new Promise(setImmediate);
          order.push(`transfer ${Object.keys(callCounts(emulator)).join(' ')}`);
        },
      },
      {
        onEvent: ({ type }) => {
          if (type === 'image-planned' || type === 'layer-started') order.push(type);
        },
      },
    );
    expect(order.slice(0, 3)).toEqual(['image-planned', 'transfer BatchGetImage', 'layer-started']);
    expect(seen).toMatchObject({ repositoryExists: false, digest: image.descriptor.digest });
  });

  test.each(['signal', 'drainSignal'] as const)('ends with the %s', async (name) => {
    await using rig = await startTargetRig();
    const abort = new AbortController();
    const reason = new Error('enough');
    const begun = later();
    const beforeTransfer = (): Promise<void> => {
      begun.resolve();
      return new Promise(() => undefined);
    };
    const push = reasonOf(
      pushInto(rig.target, 'team/a', image, { beforeTransfer }, { [name]: abort.signal }),
    );
    await begun.promise;
    abort.abort(reason);
    expect(await push).toBe(reason);
    expect(callCounts(rig.emulator)).not.toHaveProperty('InitiateLayerUpload');
  });

  test('ends the push by failing', async () => {
    await using rig = await startTargetRig();
    const reason = new Error('not this one');
    const beforeTransfer = (): Promise<void> => Promise.reject(reason);
    expect(await reasonOf(pushInto(rig.target, 'team/a', image, { beforeTransfer }))).toBe(reason);
  });
});

describe('obtainBlob', () => {
  test('may wait for long, and nothing is held meanwhile', async () => {
    await using rig = await startTargetRig({
      uploader: { layersInFlight: 1, partsInFlightTotal: 1 },
    });
    const { target, emulator } = rig;
    const others = later();
    let waitingCount = 0;
    const allWait = later();
    const waiting = pushInto(target, 'team/a', image, {
      obtainBlob: async (_blob, upload) => {
        waitingCount += 1;
        if (waitingCount === 2) allWait.resolve();
        await others.promise;
        await upload();
        return 'uploaded';
      },
    });
    await allWait.promise;
    expect(target.snapshot()).toMatchObject({ layers: [], bytesInMemory: 0 });
    expect(callCounts(emulator)).not.toHaveProperty('InitiateLayerUpload');
    await pushInto(target, 'team/b', small);
    others.resolve();
    expect(await waiting).toMatchObject({ outcome: 'pushed' });
    await expectStored(emulator, layer, 'team/a');
  });

  test.each(['signal', 'drainSignal'] as const)('ends its wait with the %s', async (name) => {
    await using rig = await startTargetRig();
    const abort = new AbortController();
    const reason = new Error('enough');
    const begun = later();
    const obtainBlob = (_blob: unknown, _upload: unknown, own: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => {
        own.addEventListener('abort', () => reject(own.reason as Error), { once: true });
        begun.resolve();
      });
    const push = reasonOf(
      pushInto(rig.target, 'team/a', image, { obtainBlob }, { [name]: abort.signal }),
    );
    await begun.promise;
    abort.abort(reason);
    expect(await push).toBe(reason);
  });

  test('lets an upload that has begun end well when the push is drained', async () => {
    await using rig = await startTargetRig();
    const drain = new AbortController();
    const reason = new Error('no more');
    const onEvent = (event: ImageEvent): void => {
      if (event.type === 'part-acknowledged') drain.abort(reason);
    };
    const push = pushInto(rig.target, 'team/a', image, {}, { drainSignal: drain.signal, onEvent });
    expect(await reasonOf(push)).toBe(reason);
    await expectStored(rig.emulator, layer, 'team/a');
  });

  test('may bring the bytes from another source', async () => {
    await using rig = await startTargetRig();
    let openCount = 0;
    const receipt = await pushInto(rig.target, 'team/a', image, {
      obtainBlob: async (blob, upload) => {
        const bytes = image.content.get(blob.digest) ?? new Uint8Array();
        const source = bytesSource(bytes, { digest: blob.digest });
        const open: typeof source.open = (own) => {
          openCount += 1;
          return source.open(own);
        };
        await upload({ ...source, open });
        return 'uploaded';
      },
    });
    expect(openCount).toBe(2);
    expect(receipt.blobs.map(({ outcome }) => outcome)).toEqual(['uploaded', 'uploaded']);
  });

  test('whose mount was in vain is made good by an upload', async () => {
    await using rig = await startTargetRig();
    const asked: string[] = [];
    const receipt = await pushInto(rig.target, 'team/a', image, {
      obtainBlob: async ({ digest }, upload) => {
        asked.push(digest);
        if (digest === digestOf(layer)) return 'mounted';
        await upload();
        return 'uploaded';
      },
    });
    expect(asked).toHaveLength(2);
    expect(receipt.blobs.map(({ outcome, sentBytes }) => `${outcome} ${sentBytes}`)[0]).toBe(
      `uploaded ${layer.length}`,
    );
    await expectStored(rig.emulator, layer, 'team/a');
  });

  test('that says what is not so ends the push', async () => {
    await using rig = await startTargetRig();
    const obtainBlob = () => Promise.resolve('uploaded' as const);
    const push = pushInto(rig.target, 'team/a', image, { obtainBlob }, { signal });
    await expect(push).rejects.toThrow('nobody has uploaded');
  });
});
