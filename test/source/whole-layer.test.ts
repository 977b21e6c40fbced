import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bytesSource, randomAccessSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored } from '../uploader/expectation.ts';
import { digestOf } from '../uploader/layer-bytes.ts';
import { startRig } from '../uploader/upload-rig.ts';
import { bytes, digest, pieces, randomAccess, sizeBytes } from './sample-content.ts';

describe('a layer arrives whole from', () => {
  test.each<{ name: string; make: () => LayerSource; end?: number }>([
    { name: 'bytes', make: () => bytesSource(bytes) },
    { name: 'bytes of known digest', make: () => bytesSource(bytes, { digest }) },
    { name: 'a view into a larger buffer', make: () => bytesSource(inside(bytes)) },
    { name: 'a Node stream', make: () => streamSource(Readable.from(pieces(bytes, 65_536))) },
    {
      name: 'a Node stream of known size',
      make: () => streamSource(Readable.from(pieces(bytes, 65_536)), { sizeBytes }),
    },
    {
      name: 'a Node stream of known size and digest',
      make: () => streamSource(Readable.from(pieces(bytes, 65_536)), { sizeBytes, digest }),
    },
    { name: 'a web stream', make: () => streamSource(new Blob([bytes]).stream()) },
    { name: 'an async generator', make: () => streamSource(pieces(bytes, 999_999)) },
    { name: 'a generator of one large piece', make: () => streamSource(pieces(bytes, sizeBytes)) },
    {
      name: 'a function that makes a stream',
      make: () => streamSource(() => Promise.resolve(pieces(bytes, 65_536)), { digest }),
    },
    { name: 'random access', make: () => randomAccessSource(randomAccess(bytes)) },
    {
      name: 'random access in small pieces, of known digest',
      make: () => randomAccessSource(randomAccess(bytes, { pieceBytes: 700_001 }), { digest }),
    },
    {
      name: 'a stream that ends where a part ends',
      make: () => streamSource(pieces(bytes.subarray(0, 5 * MIB), 65_536)),
      end: 5 * MIB,
    },
    {
      name: 'a stream of a single byte, with empty pieces around it',
      make: () => streamSource(withEmptyPieces(bytes.subarray(0, 1))),
      end: 1,
    },
  ])('$name', async ({ make, end = sizeBytes }) => {
    await using rig = await startRig();
    const receipt = await rig.upload(make());
    const partCount = Math.ceil(end / (5 * MIB));
    expect(receipt).toMatchObject({ outcome: 'uploaded', partCount, sizeBytes: end });
    await expectStored(rig.emulator, bytes.subarray(0, end));
  });
});

function inside(content: Uint8Array): Uint8Array {
  const larger = new Uint8Array(content.length + 100);
  larger.set(content, 50);
  return larger.subarray(50, 50 + content.length);
}

async function* withEmptyPieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(0);
  yield content;
  yield new Uint8Array(0);
}

describe('a layer without bytes ends in E_SOURCE_EMPTY and is not completed', () => {
  const none = new Uint8Array(0);
  test.each<{ name: string; source: LayerSource }>([
    { name: 'bytes', source: bytesSource(none) },
    { name: 'bytes of known digest', source: bytesSource(none, { digest: digestOf(none) }) },
    { name: 'a stream of known size', source: streamSource(pieces(none, 1), { sizeBytes: 0 }) },
    { name: 'random access', source: randomAccessSource(randomAccess(none)) },
  ])('without a call: $name', async ({ source }) => {
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(source), 'E_SOURCE_EMPTY');
    expect(error.message).toMatch(/EmptyUploadException/);
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test.each<{ name: string; make: () => LayerSource }>([
    { name: 'a Node stream', make: () => streamSource(Readable.from([])) },
    { name: 'a web stream', make: () => streamSource(new Blob([]).stream()) },
    { name: 'a generator', make: () => streamSource(pieces(none, 1)) },
    { name: 'a generator of empty pieces', make: () => streamSource(withEmptyPieces(none)) },
  ])('once its end is reached: $name', async ({ make }) => {
    await using rig = await startRig();
    await expectFailure(rig.upload(make()), 'E_SOURCE_EMPTY');
    expect(callCounts(rig.emulator)['UploadLayerPart']).toBeUndefined();
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });
});
