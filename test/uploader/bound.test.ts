import { describe, expect, test } from 'vitest';
import { bytesSource, streamSource } from '../../src/index.ts';
import type { UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectPartsInOrder, expectStored } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';

interface Peaks {
  readonly layers: number;
  readonly parts: number;
  readonly partsOfOneLayer: number;
  readonly bytesInMemory: number;
}

/** Uploads layers side by side and looks at the snapshot often. */
async function peaksOf(
  options: UploaderOptions,
  layers: readonly Buffer[],
  kind: 'bytes' | 'stream' = 'bytes',
): Promise<Peaks> {
  await using rig = await startRig({
    uploader: options,
    emulator: { network: { serviceTimeMs: { UploadLayerPart: 5 } } },
  });
  const peaks = { layers: 0, parts: 0, partsOfOneLayer: 0, bytesInMemory: 0 };
  const look = (): void => {
    const { layers: under, bytesInMemory } = rig.uploader.snapshot();
    const running = under.filter(({ state }) => state !== 'waiting');
    const parts = under.map(({ partsInFlight }) => partsInFlight);
    peaks.layers = Math.max(peaks.layers, running.length);
    peaks.parts = Math.max(
      peaks.parts,
      parts.reduce((sum, count) => sum + count, 0),
    );
    peaks.partsOfOneLayer = Math.max(peaks.partsOfOneLayer, ...parts);
    peaks.bytesInMemory = Math.max(peaks.bytesInMemory, bytesInMemory);
  };
  const uploads = layers.map((layer) => {
    const source = kind === 'bytes' ? bytesSource(layer) : streamSource(new Blob([layer]).stream());
    return rig.upload(source, { onEvent: look });
  });
  const sampling = setInterval(look, 2);
  await Promise.all(uploads).finally(() => clearInterval(sampling));
  for (const layer of layers) await expectStored(rig.emulator, layer);
  expectPartsInOrder(rig.emulator);
  expect(rig.emulator.journal.count({ exception: 'InvalidLayerPartException' })).toBe(0);
  return peaks;
}

const manySmall = Array.from({ length: 12 }, (_, index) => layerBytes(1000, index + 1));
const someLarge = Array.from({ length: 3 }, (_, index) => layerBytes(6 * MIB, index + 1));

describe('what is under way at once', () => {
  test('is no more than layersInFlight layers', async () => {
    expect((await peaksOf({ layersInFlight: 3 }, manySmall)).layers).toBe(3);
  });

  test('is no more than partsInFlight parts of a layer', async () => {
    const one = [layerBytes(11 * MIB)];
    expect((await peaksOf({ partsInFlight: 2 }, one)).partsOfOneLayer).toBe(2);
    expect((await peaksOf({ partsInFlight: 1 }, one)).partsOfOneLayer).toBe(1);
  });

  test('is no more than partsInFlightTotal parts, even if every layer wants several', async () => {
    const peaks = await peaksOf({ partsInFlightTotal: 2, layersInFlight: 4 }, someLarge);
    expect(peaks.parts).toBeLessThanOrEqual(2);
  });

  test('comes to an end with a single part of all layers at once', async () => {
    const peaks = await peaksOf({ partsInFlightTotal: 1, layersInFlight: 4 }, someLarge);
    expect(peaks.parts).toBe(1);
  });

  test.each(['bytes', 'stream'] as const)(
    'has no more than bytesInMemoryMax of part buffers, of layers from %s',
    async (kind) => {
      const bytesInMemoryMax = 32 * MIB;
      const peaks = await peaksOf(
        { bytesInMemoryMax, layersInFlight: 4, partsInFlight: 16 },
        someLarge,
        kind,
      );
      expect(peaks.bytesInMemory).toBeGreaterThan(16 * MIB);
      expect(peaks.bytesInMemory).toBeLessThanOrEqual(bytesInMemoryMax);
    },
  );

  test('has no more than bytesInMemoryMax when parts are of several sizes', async () => {
    const bytesInMemoryMax = 32 * MIB;
    const mixed = [layerBytes(7 * MIB), layerBytes(13 * MIB, 2), ...manySmall.slice(2, 6)];
    const peaks = await peaksOf(
      { bytesInMemoryMax, layersInFlight: 6, partSizeBytes: 12 * MIB },
      mixed,
    );
    expect(peaks.bytesInMemory).toBeLessThanOrEqual(bytesInMemoryMax);
  });
});

describe('a tail that is held back', () => {
  test('is given up in time: the window narrows, and the layer arrives whole', async () => {
    const bytes = layerBytes(16 * MIB);
    const windows: number[] = [];
    await using rig = await startRig({
      uploader: { partsInFlight: 4, tailHoldMs: 60 },
      emulator: { network: { serviceTimeMs: { UploadLayerPart: 150 } } },
    });
    await rig.upload(bytesSource(bytes), {
      onEvent: (event) =>
        void (event.type === 'window-changed' && windows.push(event.partsInFlight)),
    });
    expect(windows.slice(0, 2)).toEqual([2, 1]);
    expect(rig.emulator.journal.count({ exception: 'InvalidLayerPartException' })).toBe(0);
    await expectStored(rig.emulator, bytes);
    expectPartsInOrder(rig.emulator);
  });
});
