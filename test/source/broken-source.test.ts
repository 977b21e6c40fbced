import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bytesSource, randomAccessSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { LAYER_SIZE_MAX_BYTES, MIB } from '../../src/limits.ts';
import { callCounts, expectFailure } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig } from '../uploader/upload-rig.ts';
import { bytes, digest, pieces, randomAccess, sizeBytes } from './sample-content.ts';

describe('a source that is not what it was said to be', () => {
  test.each<{ name: string; make: () => LayerSource; actualSizeBytes: number }>([
    {
      name: 'a stream longer than said',
      make: () => streamSource(pieces(bytes, 65_536), { sizeBytes: sizeBytes - 1 }),
      actualSizeBytes: sizeBytes,
    },
    {
      name: 'a stream shorter than said',
      make: () => streamSource(pieces(bytes, 65_536), { sizeBytes: sizeBytes + 10 * MIB }),
      actualSizeBytes: sizeBytes,
    },
    {
      name: 'random access that ends early',
      make: () => randomAccessSource({ ...randomAccess(bytes), sizeBytes: sizeBytes + 1 }),
      actualSizeBytes: sizeBytes,
    },
  ])('ends in E_SOURCE_CHANGED, uncompleted: $name', async ({ make, actualSizeBytes }) => {
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(make()), 'E_SOURCE_CHANGED');
    expect(error.details).toMatchObject({ actualSizeBytes });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test.each<{ name: string; source: LayerSource }>([
    { name: 'bytes', source: bytesSource(bytes, { digest: digestOf(layerBytes(1)) }) },
    {
      name: 'a stream',
      source: streamSource(() => pieces(bytes, 65_536), { digest: digestOf(layerBytes(1)) }),
    },
    {
      name: 'random access',
      source: randomAccessSource(randomAccess(bytes), { digest: digestOf(layerBytes(1)) }),
    },
  ])('ends in E_DIGEST_MISMATCH, uncompleted: $name', async ({ source }) => {
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(source), 'E_DIGEST_MISMATCH');
    expect(error.details).toMatchObject({ expected: digestOf(layerBytes(1)), actual: digest });
    expect(callCounts(rig.emulator)).toMatchObject({ InitiateLayerUpload: 1, UploadLayerPart: 2 });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test("ends in E_DIGEST_MISMATCH where the request's digest differs", async () => {
    await using rig = await startRig();
    const upload = rig.uploader.uploadLayer({
      repository: REPOSITORY,
      source: bytesSource(layerBytes(50)),
      digest: digestOf(layerBytes(1)),
    });
    await expectFailure(upload, 'E_DIGEST_MISMATCH');
  });

  test('ends in E_LAYER_TOO_LARGE before a call: it says it has more than 52,000 MiB', async () => {
    await using rig = await startRig();
    const source = randomAccessSource({
      sizeBytes: LAYER_SIZE_MAX_BYTES + 1,
      read: () => Promise.reject(new Error('nobody reads')),
    });
    await expectFailure(rig.upload(source), 'E_LAYER_TOO_LARGE');
    expect(callCounts(rig.emulator)).toEqual({});
  });
});

describe('a source that fails', () => {
  const reason = Object.assign(new Error('the tape tore'), { code: 'EIO' });

  async function* torn(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 5 * MIB);
    throw reason;
  }

  test.each<{ name: string; make: () => LayerSource }>([
    { name: 'a generator that throws', make: () => streamSource(torn()) },
    { name: 'a Node stream that errors', make: () => streamSource(Readable.from(torn())) },
    {
      name: 'a web stream that errors',
      make: () =>
        streamSource(
          new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(reason) }),
        ),
    },
    { name: 'a function that throws', make: () => streamSource(() => Promise.reject(reason)) },
    {
      name: 'random access that rejects',
      make: () => randomAccessSource({ sizeBytes, read: () => Promise.reject(reason) }),
    },
  ])('ends in E_SOURCE_UNREADABLE with its reason: $name', async ({ make }) => {
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(make()), 'E_SOURCE_UNREADABLE');
    expect(error.message).toContain('the tape tore');
    expect(error.details.systemCode).toBe('EIO');
    expect(error.cause).toBe(reason);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('ends in E_SOURCE_UNREADABLE when a function throws before it returns', async () => {
    await using rig = await startRig();
    const source = streamSource(() => {
      throw reason;
    });
    await expectFailure(rig.upload(source), 'E_SOURCE_UNREADABLE');
  });

  test.each([
    { name: 'texts', stream: () => Readable.from(['one', 'two']) },
    {
      name: 'a text decoded by an encoding',
      stream: () => Readable.from([bytes]).setEncoding('hex'),
    },
    { name: 'objects', stream: () => Readable.from([{ one: 1 }]) },
  ])('ends in E_SOURCE_UNREADABLE when it yields $name', async ({ stream }) => {
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(streamSource(stream())), 'E_SOURCE_UNREADABLE');
    expect(error.message).toMatch(/something other than bytes/);
  });

  test('ends in E_SOURCE_UNREADABLE when random access gives more than asked for', async () => {
    await using rig = await startRig();
    const source = randomAccessSource({ sizeBytes: 100, read: () => Promise.resolve(bytes) });
    const error = await expectFailure(rig.upload(source), 'E_SOURCE_UNREADABLE');
    expect(error.message).toMatch(/asked for 100 bytes/);
  });

  test('ends in E_SOURCE_UNREADABLE when a stream is given a second time', async () => {
    await using rig = await startRig();
    const source = streamSource(pieces(bytes, 65_536));
    await rig.upload(source);
    const error = await expectFailure(rig.upload(source), 'E_SOURCE_UNREADABLE');
    expect(error.message).toMatch(/pass a function/);
  });
});
