import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/index.ts';
import type { LayerEvent } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectPartsInOrder, expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';

const MINUTE_MS = 60_000;
const bytes = layerBytes(10 * MIB + 5);
const source = bytesSource(bytes, { digest: digestOf(bytes) });

describe("a clock that differs from the server's", () => {
  test.each([
    { name: '7 minutes ahead', skewMs: 7 * MINUTE_MS },
    { name: '7 minutes behind', skewMs: -7 * MINUTE_MS },
    { name: '20 hours ahead', skewMs: 20 * 60 * MINUTE_MS },
  ])('is corrected by the first refusal: a server $name', async ({ skewMs }) => {
    const retried: LayerEvent[] = [];
    await using rig = await startRig({ emulator: { clock: () => Date.now() + skewMs } });
    await rig.upload(source, {
      onEvent: (event) => void (event.type === 'call-retried' && retried.push(event)),
    });
    expect(retried).toMatchObject([
      { operation: 'BatchCheckLayerAvailability', code: 'E_CLOCK_SKEW', delayMs: 0 },
    ]);
    expect(callCounts(rig.emulator)).toEqual({
      BatchCheckLayerAvailability: 2,
      InitiateLayerUpload: 1,
      UploadLayerPart: 3,
      CompleteLayerUpload: 1,
    });
    await expectStored(rig.emulator, bytes);
  });

  test('makes no trouble within 4 minutes', async () => {
    await using rig = await startRig({ emulator: { clock: () => Date.now() + 4 * MINUTE_MS } });
    await rig.upload(source);
    expect(callCounts(rig.emulator)['BatchCheckLayerAvailability']).toBe(1);
  });

  test('is corrected for many layers that start side by side', async () => {
    await using rig = await startRig({
      emulator: { clock: () => Date.now() + 7 * MINUTE_MS },
      uploader: { layersInFlight: 8 },
    });
    const layers = Array.from({ length: 8 }, (_, index) => layerBytes(1000, index + 1));
    await Promise.all(
      layers.map((layer) => rig.upload(bytesSource(layer, { digest: digestOf(layer) }))),
    );
    for (const layer of layers) await expectStored(rig.emulator, layer);
  });

  test.each([1, 3])(
    'may jump in the middle of a layer, with %i parts in flight',
    async (window) => {
      let skewMs = 0;
      await using rig = await startRig({
        emulator: { clock: () => Date.now() + skewMs },
        uploader: { partsInFlight: window },
      });
      await rig.upload(source, {
        onEvent: ({ type }) => {
          if (type === 'upload-initiated') skewMs = 10 * MINUTE_MS;
        },
      });
      await expectStored(rig.emulator, bytes);
      expectPartsInOrder(rig.emulator);
    },
  );

  test('may be off for a single answer', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          nth: 2,
          action: { kind: 'skew-clock', skewMs: 10 * MINUTE_MS },
        },
      ],
    });
    await rig.upload(source);
    await expectStored(rig.emulator, bytes);
  });
});
