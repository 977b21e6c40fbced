import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bytesSource, fileSource, streamSource } from '../../src/index.ts';
import type { LayerEvent } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { startRig } from '../uploader/upload-rig.ts';
import { watchedWorker } from './watched-worker.ts';

const bytes = layerBytes(11 * MIB);
const known = bytesSource(bytes, { digest: digestOf(bytes) });

describe('a worker thread that ends in the middle of a layer', () => {
  test('while it sends: another thread sends the part', async () => {
    using worker = watchedWorker({ kind: 'transmit', times: 1 });
    const retried: LayerEvent[] = [];
    await using rig = await startRig({
      uploader: {
        workersMax: 2,
        hasher: 'wasm',
        workerUrl: worker.path,
        partSizeBytes: 20 * MIB,
      },
    });
    await rig.upload(known, {
      onEvent: (event) => void (event.type === 'call-retried' && retried.push(event)),
    });
    expect(retried).toMatchObject([{ operation: 'UploadLayerPart', code: 'E_WORKER_LOST' }]);
    await expectStored(rig.emulator, bytes);
  });

  test('while it sends: a new thread in its place sends the part', async () => {
    using worker = watchedWorker({ kind: 'transmit', times: 1 });
    await using rig = await startRig({
      uploader: { workersMax: 1, hasher: 'wasm', workerUrl: worker.path },
    });
    await rig.upload(bytesSource(layerBytes(100)));
    const transmits = worker.jobs().filter(({ kind }) => kind === 'transmit');
    expect(new Set(transmits.map(({ threadId }) => threadId)).size).toBe(2);
    await expectStored(rig.emulator, layerBytes(100));
  });

  test('while it sends, each time: the layer ends in E_WORKER_LOST', async () => {
    using worker = watchedWorker({ kind: 'transmit', times: 99 });
    await using rig = await startRig({ uploader: { hasher: 'wasm', workerUrl: worker.path } });
    const small = bytesSource(layerBytes(100));
    const error = await expectFailure(rig.upload(small), 'E_WORKER_LOST');
    expect(error).toMatchObject({ origin: 'worker', retryable: true });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test.each([
    { kind: 'fold', job: 'fold' },
    { kind: 'digest', job: 'digest' },
  ])('with the digest ($kind): E_WORKER_LOST, and the next layer goes well', async (row) => {
    using worker = watchedWorker({ kind: row.kind, times: 1 });
    await using rig = await startRig({ uploader: { hasher: 'native', workerUrl: worker.path } });
    const stream = streamSource(new Blob([bytes]).stream());
    const error = await expectFailure(rig.upload(stream), 'E_WORKER_LOST');
    expect(error.details).toEqual({ job: row.job });
    expect(error.retryable).toBe(true);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
    await rig.upload(known);
    await expectStored(rig.emulator, bytes);
  });

  test('with the digest: a layer that can be read again starts again', async () => {
    using worker = watchedWorker({ kind: 'fold', times: 1 });
    const restarted: LayerEvent[] = [];
    await using rig = await startRig({ uploader: { hasher: 'native', workerUrl: worker.path } });
    await rig.upload(known, {
      onEvent: (event) => void (event.type === 'layer-restarted' && restarted.push(event)),
    });
    expect(restarted).toMatchObject([{ code: 'E_WORKER_LOST' }]);
    await expectStored(rig.emulator, bytes);
  });

  test('while it hashes a file: E_WORKER_LOST, and the same call goes well afterwards', async () => {
    using worker = watchedWorker({ kind: 'hash-file', times: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const path = join(folder, 'layer.tar');
      writeFileSync(path, bytes);
      await using rig = await startRig({ uploader: { workerUrl: worker.path } });
      const error = await expectFailure(rig.upload(fileSource(path)), 'E_WORKER_LOST');
      expect(error.details).toEqual({ job: 'hash-file' });
      expect(callCounts(rig.emulator)).toEqual({});
      await rig.upload(fileSource(path));
      await expectStored(rig.emulator, bytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('while it measures the hashers: the layer goes on', async () => {
    using worker = watchedWorker({ kind: 'calibrate', times: 1 });
    await using rig = await startRig({ uploader: { hasher: 'auto', workerUrl: worker.path } });
    await rig.upload(known);
    await expectStored(rig.emulator, bytes);
  });
});

describe('the worker file', () => {
  test('may be given as a path, a file URL or its text', async () => {
    using worker = watchedWorker();
    const url = pathToFileURL(worker.path);
    for (const workerUrl of [worker.path, url, url.href]) {
      await using rig = await startRig({ uploader: { workerUrl } });
      await rig.upload(bytesSource(layerBytes(10)));
    }
    expect(new Set(worker.jobs().map(({ kind }) => kind))).toContain('transmit');
  });

  test.each(['native', 'wasm', 'auto'] as const)(
    'that is missing ends the upload in E_WORKER_NOT_FOUND with the remedies (%s)',
    async (hasher) => {
      await using rig = await startRig({
        uploader: { workerUrl: '/no/such/layer.worker.js', hasher },
      });
      const error = await expectFailure(
        rig.upload(bytesSource(layerBytes(10))),
        'E_WORKER_NOT_FOUND',
      );
      expect(error.details).toEqual({ workerUrl: '/no/such/layer.worker.js' });
      expect(error.message).toMatch(/workerUrl/);
      expect(error.origin).toBe('worker');
      await expectFailure(rig.upload(known), 'E_WORKER_NOT_FOUND');
      await rig.uploader.close();
    },
  );

  test('that cannot be loaded ends the upload in an error, not in a wait', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const path = join(folder, 'broken.worker.mjs');
      writeFileSync(path, "import './no-such-module.mjs';\nexport const run = () => undefined;\n");
      await using rig = await startRig({ uploader: { workerUrl: path } });
      await expectFailure(rig.upload(bytesSource(layerBytes(10))), 'E_WORKER_LOST');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
