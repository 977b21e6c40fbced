/** What must not hang, leak or end the process. */

import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bytesSource,
  createUploader,
  LongshoreError,
  randomAccessSource,
  streamSource,
} from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';

const small = layerBytes(3000);

describe('an uploader', () => {
  test('finds memory for a layer that is a little smaller than one large part', async () => {
    await using rig = await startRig({
      uploader: { partSizeBytes: 20 * MIB, bytesInMemoryMax: 32 * MIB },
    });
    const bytes = layerBytes(17 * MIB);
    await rig.upload(bytesSource(bytes));
    await expectStored(rig.emulator, bytes);
    expect(rig.uploader.snapshot().bytesInMemory).toBeLessThanOrEqual(32 * MIB);
  });

  test.each(['native', 'auto'] as const)(
    'fails, and can be closed, when its threads do not start (%s)',
    async (hasher) => {
      const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
      try {
        const workerUrl = join(folder, 'worker.mjs');
        writeFileSync(workerUrl, 'throw new Error("this worker does not start");\n');
        await using rig = await startRig({ uploader: { workerUrl, hasher, workersMax: 2 } });
        const uploads = [1, 2, 3].map((seed) => rig.upload(bytesSource(layerBytes(seed * 100))));
        await Promise.all(uploads.map((upload) => expectFailure(upload, 'E_WORKER_LOST')));
        await expectFailure(rig.upload(bytesSource(small)), 'E_WORKER_LOST');
        await rig.uploader.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test('reports a stream that failed before it was read', async () => {
    await using rig = await startRig({
      faults: [{ operation: 'InitiateLayerUpload', action: { kind: 'delay', delayMs: 50 } }],
    });
    const stream = createReadStream(join(tmpdir(), 'longshore-there-is-no-such-file'));
    await expectFailure(rig.upload(streamSource(stream)), 'E_SOURCE_UNREADABLE');
  });

  test('reports a web stream that somebody else reads', async () => {
    await using rig = await startRig();
    const stream = new Blob([small]).stream();
    stream.getReader();
    await expectFailure(rig.upload(streamSource(stream)), 'E_SOURCE_UNREADABLE');
  });

  test('reports a reader that throws at once', async () => {
    await using rig = await startRig();
    const source = randomAccessSource({
      sizeBytes: 10,
      read: () => {
        throw new Error('thrown, not rejected');
      },
    });
    await expectFailure(rig.upload(source), 'E_SOURCE_UNREADABLE');
  });

  test('lets go of a reader that ignores its signal', async () => {
    await using rig = await startRig();
    const abort = new AbortController();
    const source = randomAccessSource({
      sizeBytes: 10,
      read: () => {
        abort.abort(new Error('enough'));
        return new Promise(() => undefined);
      },
    });
    const reason = await reasonOf(rig.upload(source, { signal: abort.signal }));
    expect(reason).toMatchObject({ message: 'enough' });
    await rig.uploader.close();
  });

  test('does not wait for ever for the rest of a reply to a control call', async () => {
    await using rig = await startRig({
      uploader: { replyTimeoutMs: 200 },
      faults: [{ operation: 'InitiateLayerUpload', action: { kind: 'drip', bytesPerSecond: 1 } }],
    });
    await rig.upload(bytesSource(small));
    await expectStored(rig.emulator, small);
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(2);
  });

  test('does not let the SDK retry, whatever its settings say', async () => {
    const fault = { kind: 'fail', exception: 'ServerException', httpStatus: 500 } as const;
    await using rig = await startRig({
      uploader: {
        attemptsMax: 1,
        client: {
          credentials: {
            accessKeyId: 'AKIDEMULATOR00000000',
            secretAccessKey: 'emulator-secret-key-known-to-everyone000',
          },
          retryMode: 'standard',
          retryStrategy: {
            acquireInitialRetryToken: async () => ({
              getRetryCount: () => 0,
              getRetryDelay: () => 0,
            }),
            refreshRetryTokenForRetry: async (token) => token,
            recordSuccess: () => undefined,
          },
        },
      },
      faults: [{ operation: 'InitiateLayerUpload', times: 9, action: fault }],
    });
    await expectFailure(rig.upload(bytesSource(small)), 'E_REGISTRY_FAULT');
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(1);
  });

  test('looks a layer up after a lost Complete even if throttling came last', async () => {
    await using rig = await startRig({
      faults: [
        { operation: 'CompleteLayerUpload', nth: 1, action: { kind: 'lose-reply' } },
        {
          operation: 'CompleteLayerUpload',
          nth: 1,
          times: 9,
          action: { kind: 'fail', exception: 'ThrottlingException' },
        },
      ],
    });
    const receipt = await rig.upload(bytesSource(small, { digest: digestOf(small) }));
    expect(receipt.outcome).toBe('uploaded');
    await expectStored(rig.emulator, small);
  });

  test('leaves no connection to a proxy that never answers', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.resume();
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const uploader = createUploader({
      endpoint: 'https://ecr.invalid',
      region: 'us-east-1',
      client: { credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
      proxy: new URL(`http://127.0.0.1:${port}`),
      workersMax: 1,
      attemptsMax: 2,
      retryDelayMs: 1,
      connectTimeoutMs: 100,
      replyTimeoutMs: 100,
    });
    const upload = uploader.uploadLayer({ repository: 'team/app', source: bytesSource(small) });
    await expectFailure(upload, 'E_TIMEOUT');
    expect(sockets.size).toBeGreaterThan(0);
    const gone = Promise.all(
      [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    await uploader.close();
    await gone;
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('an error', () => {
  test.each([
    ['proxy', { proxy: 'http://user:hunter2@proxy:3128' }],
    ['endpoint', { endpoint: 'http://user:hunter2@:a:b' }],
  ])('does not tell the password in a wrong %s', (_name, options) => {
    const create = () => createUploader(options as Parameters<typeof createUploader>[0]);
    let thrown: unknown;
    try {
      create();
    } catch (error) {
      thrown = error;
    }
    expect(LongshoreError.is(thrown, 'E_OPTION_INVALID')).toBe(true);
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('hunter2');
  });
});
