import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource, fileSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { startRig } from '../uploader/upload-rig.ts';
import { watchedWorker } from './watched-worker.ts';

const KIB = 1024;

describe.each(['native', 'wasm', 'auto'] as const)('the hasher %s', (hasher) => {
  test("finds node:crypto's digests, of bytes, files and streams of many sizes", async () => {
    await using rig = await startRig({ uploader: { hasher, workersMax: 2, layersInFlight: 4 } });
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    const source = (layer: Buffer, index: number): LayerSource => {
      if (index % 3 === 0) return bytesSource(layer);
      if (index % 3 === 1) return streamSource(new Blob([layer]).stream());
      const path = join(folder, `layer-${index}.tar`);
      writeFileSync(path, layer);
      return fileSource(path);
    };
    try {
      // Around the sizes of blocks, of pieces and of parts.
      const sizes = [1, 55, 56, 63, 64, 65, 48 * KIB - 1, 48 * KIB + 1, 5 * MIB, 11 * MIB + 1];
      const layers = sizes.flatMap((size, index) => [
        layerBytes(size, index + 1),
        layerBytes(size, index + 101),
      ]);
      const receipts = await Promise.all(
        layers.map((layer, index) => rig.upload(source(layer, index))),
      );
      expect(receipts.map(({ digest }) => digest)).toEqual(layers.map(digestOf));
      for (const layer of layers) await expectStored(rig.emulator, layer);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the state of a digest', () => {
  async function threadsOfFolds(hasher: 'native' | 'wasm'): Promise<readonly number[]> {
    using worker = watchedWorker();
    await using rig = await startRig({
      uploader: { hasher, workersMax: 2, workerUrl: worker.path, partsInFlight: 4 },
    });
    const bytes = layerBytes(31 * MIB);
    await rig.upload(streamSource(new Blob([bytes]).stream()));
    await expectStored(rig.emulator, bytes);
    return worker.jobs().flatMap(({ kind, threadId }) => (kind === 'fold' ? [threadId] : []));
  }

  test('hops between threads with wasm', async () => {
    const threads = await threadsOfFolds('wasm');
    expect(threads).toHaveLength(7);
    expect(new Set(threads).size).toBe(2);
  });

  test('stays on one thread with native', async () => {
    const threads = await threadsOfFolds('native');
    expect(threads).toHaveLength(7);
    expect(new Set(threads).size).toBe(1);
  });
});

test('auto measures once for the life of an uploader', async () => {
  using worker = watchedWorker();
  await using rig = await startRig({ uploader: { hasher: 'auto', workerUrl: worker.path } });
  await Promise.all([1, 2, 3].map((seed) => rig.upload(bytesSource(layerBytes(100, seed)))));
  await rig.upload(bytesSource(layerBytes(100, 4)));
  expect(worker.jobs().filter(({ kind }) => kind === 'calibrate')).toHaveLength(1);
});
