import { describe, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import type { UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { openTargets } from '../../src/uploader/target-group.ts';
import { makeImage } from '../image/memory-image.ts';
import { callCounts, expectFailure, reasonOf } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { pushInto, signal, startTargetRig, targetOf } from './target-rig.ts';
import { makeRepository, uploaderOptionsFor } from './upload-rig.ts';

const image = makeImage({ layers: [layerBytes(300)] });
const BYTES_IN_MEMORY_MAX = 32 * MIB;

/** Two emulators, and a target for each. */
async function startPair(shared: UploaderOptions) {
  const emulators: Emulator[] = [];
  for (const region of ['eu-west-1', 'us-east-1']) {
    const network = { serviceTimeMs: { UploadLayerPart: 20 } };
    const emulator = await startEmulator({ region, network });
    await makeRepository(emulator, 'team/a');
    emulators.push(emulator);
  }
  const options = emulators.map(uploaderOptionsFor);
  const group = openTargets({ west: options[0] ?? {}, east: options[1] ?? {} }, shared);
  return {
    group,
    west: targetOf(group, 'west'),
    east: targetOf(group, 'east'),
    [Symbol.asyncDispose]: async () => {
      await group.destroy();
      for (const emulator of emulators) await emulator.stop();
    },
  };
}

describe('several targets', () => {
  test('share one memory, and never have more of it than its bound', async () => {
    await using pair = await startPair({ bytesInMemoryMax: BYTES_IN_MEMORY_MAX, workersMax: 1 });
    const { west, east } = pair;
    const big = makeImage({ layers: [1, 2].map((seed) => layerBytes(21 * MIB, seed)) });
    let mostBytes = 0;
    const unequal: number[] = [];
    const onEvent = (): void => {
      const { bytesInMemory } = west.snapshot();
      mostBytes = Math.max(mostBytes, bytesInMemory);
      if (bytesInMemory !== east.snapshot().bytesInMemory) unequal.push(bytesInMemory);
    };
    await Promise.all(
      [west, east].map((target) => pushInto(target, 'team/a', big, {}, { onEvent })),
    );
    expect(unequal).toEqual([]);
    expect(mostBytes).toBeGreaterThan(BYTES_IN_MEMORY_MAX / 2);
    expect(mostBytes).toBeLessThanOrEqual(BYTES_IN_MEMORY_MAX);
  });

  test('keep their calls and their layers apart', async () => {
    await using pair = await startPair({});
    await pushInto(pair.west, 'team/a', image);
    expect(pair.west.calls()).toMatchObject({ PutImage: 1, InitiateLayerUpload: 2 });
    expect(pair.east.calls()).toEqual({});
    expect(await pushInto(pair.east, 'team/a', image)).toMatchObject({ outcome: 'pushed' });
    expect(pair.east.snapshot().uploadedLayerCount).toBe(2);
  });

  test('take no work once they are closed, and end what they have on destroy', async () => {
    await using pair = await startPair({});
    const reason = new Error('enough');
    const push = reasonOf(
      pushInto(pair.west, 'team/a', image, { beforeTransfer: () => new Promise(() => undefined) }),
    );
    await pair.group.destroy(reason);
    expect(await push).toBe(reason);
    await expectFailure(pushInto(pair.east, 'team/a', image), 'E_CLOSED');
    await expectFailure(pair.east.mountsAllowed(signal), 'E_CLOSED');
  });

  test('refuse options that make no sense', () => {
    expect(() => openTargets({ one: { registryId: '12' } })).toThrow('registryId');
    expect(() => openTargets({ one: {} }, { workersMax: 0 })).toThrow('workersMax');
  });
});

describe('a target', () => {
  test('reads any number of tags, a hundred a call', async () => {
    await using rig = await startTargetRig();
    await pushInto(rig.target, 'team/a', image, { tags: ['1', '250'] });
    rig.emulator.journal.clear();
    const tags = Array.from({ length: 250 }, (_, index) => String(index + 1));
    const found = await rig.target.readTags('team/a', tags, signal);
    expect([...found.keys()].toSorted()).toEqual(['1', '250']);
    expect(found.get('250')?.digest).toBe(image.descriptor.digest);
    expect(callCounts(rig.emulator)).toEqual({ BatchGetImage: 3 });
    expect(await rig.target.readTags('team/a', [], signal)).toEqual(new Map());
  });

  test('finds no tags where there is no repository', async () => {
    await using rig = await startTargetRig();
    const tags = Array.from({ length: 150 }, (_, index) => `t${index}`);
    expect(await rig.target.readTags('team/none', tags, signal)).toEqual(new Map());
    expect(await rig.target.immutableTags('team/none', ['t'], signal)).toEqual([]);
  });

  test('tells which tags may not move, if it may know', async () => {
    const imageTagMutability = 'IMMUTABLE' as const;
    await using rig = await startTargetRig({
      repositories: [{ repositoryName: 'team/a', imageTagMutability }],
    });
    expect(await rig.target.immutableTags('team/a', ['x', 'y'], signal)).toEqual(['x', 'y']);
    const action = { kind: 'fail', exception: 'AccessDeniedException' } as const;
    rig.emulator.addFaults([{ operation: 'DescribeRepositories', action }]);
    expect(await rig.target.immutableTags('team/a', ['x'], signal)).toEqual([]);
  });

  test('asks once whether blobs may be mounted, though one of those who ask gives up', async () => {
    await using rig = await startTargetRig();
    const abort = new AbortController();
    const first = reasonOf(rig.target.mountsAllowed(abort.signal));
    const others = [1, 2, 3].map(() => rig.target.mountsAllowed(signal));
    abort.abort('enough');
    expect(await first).toBe('enough');
    expect(await Promise.all(others)).toEqual([true, true, true]);
    expect(await rig.target.mountsAllowed(signal)).toBe(true);
    expect(callCounts(rig.emulator)).toEqual({ GetAccountSetting: 1 });
  });

  test('tries mounts where the setting may not be asked for', async () => {
    await using rig = await startTargetRig({ mounts: false });
    const action = { kind: 'fail', exception: 'AccessDeniedException' } as const;
    rig.emulator.addFaults([{ operation: 'GetAccountSetting', action }]);
    expect(await rig.target.mountsAllowed(signal)).toBe(true);
  });

  test('does not keep a failure of that question', async () => {
    await using rig = await startTargetRig({ uploader: { attemptsMax: 1 } });
    const action = { kind: 'fail', exception: 'ServerException', httpStatus: 500 } as const;
    rig.emulator.addFaults([{ operation: 'GetAccountSetting', action }]);
    await expectFailure(rig.target.mountsAllowed(signal), 'E_REGISTRY_FAULT');
    expect(await rig.target.mountsAllowed(signal)).toBe(true);
  });

  test('counts what was throttled', async () => {
    await using rig = await startTargetRig();
    const action = { kind: 'throttle' } as const;
    rig.emulator.addFaults([{ operation: 'PutImage', times: 2, action }]);
    await pushInto(rig.target, 'team/a', image);
    expect(rig.target.throttledCallCount()).toBe(2);
    expect(rig.target.calls()['PutImage']).toBe(3);
  });
});
