import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource, fileSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { GIB, KIB, MIB } from '../../src/limits.ts';
import { WorkerPool } from '../../src/pool/worker-pool.ts';
import { Workshop } from '../../src/pool/workshop.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { startRig } from '../uploader/upload-rig.ts';
import { watchedWorker } from './watched-worker.ts';

const noPool = { kind: 'worker-lost', message: 'no pool' } as const;

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
      const blocks = [1, 55, 56, 63, 64, 65, 48 * KIB - 1, 48 * KIB, 48 * KIB + 1];
      const parts = [5 * MIB, 5 * MIB + 1, 10 * MIB + 1];
      const layers = [...blocks, ...parts].map((size, index) => layerBytes(size, index + 1));
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
  test('hops between threads with wasm', async () => {
    const pools = [new WorkerPool(1, undefined), new WorkerPool(1, undefined)];
    let lastJob = 0;
    const next = (): WorkerPool | undefined => {
      lastJob += 1;
      return pools[lastJob % 2];
    };
    // Every job runs in another thread than the one before.
    const alternating: Pick<WorkerPool, 'run' | 'tell'> = {
      run: async (job, affinity) =>
        (await next()?.run(job, affinity)) ?? { ok: false, failure: noPool },
      tell: (job, affinity) => next()?.tell(job, affinity),
    };
    const hash = new Workshop(alternating as WorkerPool, 'wasm').openHash('hopper');
    const bytes = layerBytes(300 * KIB + 11);
    const shared = new SharedArrayBuffer(100 * KIB);
    try {
      for (let firstByte = 0; firstByte < bytes.length; firstByte += shared.byteLength) {
        const piece = bytes.subarray(firstByte, firstByte + shared.byteLength);
        new Uint8Array(shared).set(piece);
        await hash.fold(shared, { kind: 'staged', offsetBytes: 0 }, firstByte, piece.length);
      }
      expect(await hash.digest()).toBe(digestOf(bytes));
      expect(lastJob).toBe(5);
    } finally {
      for (const pool of pools) await pool.close();
    }
  });

  test('stays on one thread with native', async () => {
    using worker = watchedWorker();
    await using rig = await startRig({
      uploader: { hasher: 'native', workersMax: 2, workerUrl: worker.path, partsInFlight: 4 },
    });
    const bytes = layerBytes(16 * MIB);
    await rig.upload(streamSource(new Blob([bytes]).stream()));
    await expectStored(rig.emulator, bytes);
    const folds = worker.jobs().filter(({ kind }) => kind === 'fold');
    expect(folds).toHaveLength(4);
    expect(new Set(folds.map(({ threadId }) => threadId)).size).toBe(1);
  });
});

test('auto measures once for the life of an uploader', async () => {
  using worker = watchedWorker();
  await using rig = await startRig({ uploader: { hasher: 'auto', workerUrl: worker.path } });
  await Promise.all([1, 2, 3].map((seed) => rig.upload(bytesSource(layerBytes(100, seed)))));
  await rig.upload(bytesSource(layerBytes(100, 4)));
  expect(worker.jobs().filter(({ kind }) => kind === 'calibrate')).toHaveLength(1);
});

test('hashing a large file ends with its abort, even while threads start', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'large');
  // Sparse; hashed to its end it would take a minute.
  await writeFile(path, '');
  await truncate(path, 8 * GIB);
  const pool = new WorkerPool(1, undefined);
  try {
    const abort = new AbortController();
    const reason = new Error('enough');
    const range = { path, offsetBytes: 0, sizeBytes: 8 * GIB, label: 'large' };
    const hashing = new Workshop(pool, 'wasm').hashFile(
      range,
      new SharedArrayBuffer(8),
      abort.signal,
    );
    hashing.catch(() => undefined);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    abort.abort(reason);
    await expect(hashing).rejects.toBe(reason);
  } finally {
    await pool.close();
  }
});
