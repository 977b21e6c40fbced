import { expect, test, vi } from 'vitest';
import { MIB } from '../../src/limits.ts';
import { makeImage } from '../image/memory-image.ts';
import { reasonOf } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { pushInto, startTargetRig } from './target-rig.ts';

const LAYERS_IN_FLIGHT = 2;

test('small images go on while large layers have every permit and wait for memory', async () => {
  await using rig = await startTargetRig({
    uploader: { layersInFlight: LAYERS_IN_FLIGHT, tailHoldMs: 600_000, bytesInMemoryMax: 32 * MIB },
    mounts: false,
  });
  const { emulator, target, group } = rig;
  const match = { repository: 'team/a' };
  const action = { kind: 'stall' } as const;
  emulator.addFaults([{ operation: 'UploadLayerPart', match, times: 100, action }]);
  const large = makeImage({ layers: [1, 2, 3].map((seed) => layerBytes(30 * MIB, seed)) });
  const standing = reasonOf(pushInto(target, 'team/a', large));
  const isFull = () => target.snapshot().bytesInMemory > 32 * MIB - 7 * MIB;
  // The first parts are on the wire and stay there; the rest of the memory is taken by those behind them.
  await vi.waitUntil(
    () => emulator.journal.count({ operation: 'UploadLayerPart' }) >= 2 && isFull(),
    { timeout: 20_000 },
  );
  for (const seed of [1, 2, 3]) {
    const small = makeImage({ layers: [layerBytes(100_000, seed), layerBytes(200, seed + 10)] });
    expect(await pushInto(target, 'team/b', small)).toMatchObject({ outcome: 'pushed' });
  }
  const sending = target.snapshot().layers.filter(({ state }) => state === 'sending');
  // And the large image's own config.
  expect(sending).toHaveLength(LAYERS_IN_FLIGHT + 1);
  expect(isFull()).toBe(true);
  const reason = new Error('enough');
  await group.destroy(reason);
  expect(await standing).toBe(reason);
});
