import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bytesSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectFailure, expectStored, reasonOf } from '../uploader/expectation.ts';
import { startRig } from '../uploader/upload-rig.ts';
import { bytes, digest, pieces, sizeBytes } from './sample-content.ts';

describe('a stream that is not read to its end', () => {
  test.each<{ name: string; make: () => { stream: Readable; source: LayerSource } }>([
    {
      name: 'by a refusal',
      make: () => {
        // Far more than is read ahead.
        const stream = Readable.from(Array.from({ length: 100 }, () => bytes));
        return { stream, source: streamSource(stream) };
      },
    },
    {
      name: 'by the layer being there already',
      make: () => {
        const stream = Readable.from(pieces(bytes, 65_536));
        return { stream, source: streamSource(stream, { digest }) };
      },
    },
  ])('is destroyed, so that its producer can go: $name', async ({ name, make }) => {
    await using rig = await startRig();
    if (name.includes('there')) await rig.upload(bytesSource(bytes));
    else {
      rig.emulator.addFaults([
        { operation: 'UploadLayerPart', action: { kind: 'fail', exception: 'KmsException' } },
      ]);
    }
    const { stream, source } = make();
    const closed = once(stream, 'close');
    await rig.upload(source).catch(() => undefined);
    await closed;
    expect(stream.destroyed).toBe(true);
  });

  test('runs the end of a generator', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes;
      } finally {
        ended = true;
      }
    }
    await using rig = await startRig({
      faults: [
        { operation: 'UploadLayerPart', action: { kind: 'fail', exception: 'KmsException' } },
      ],
    });
    await expectFailure(rig.upload(streamSource(endless())), 'E_KMS');
    expect(ended).toBe(true);
  });

  test('feels backpressure: no more is read than fits into part buffers', async () => {
    let yieldedBytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (let piece = 0; piece < 1000; piece += 1) {
        yieldedBytes += MIB;
        yield bytes.subarray(0, MIB);
      }
    }
    await using rig = await startRig({
      uploader: { bytesInMemoryMax: 32 * MIB, partsInFlight: 64 },
      faults: [{ operation: 'UploadLayerPart', times: 99, action: { kind: 'stall' } }],
    });
    const reason = reasonOf(rig.upload(streamSource(counted())));
    // Four part buffers are all that fit, and nothing is acknowledged.
    while (rig.uploader.snapshot().bytesInMemory < 26 * MIB) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rig.uploader.destroy(new Error('seen enough'));
    await reason;
    expect(yieldedBytes).toBeLessThanOrEqual(21 * MIB);
  });

  test('may be a pipe whose writer goes on while parts are sent', async () => {
    const pipe = new PassThrough();
    await using rig = await startRig();
    const upload = rig.upload(streamSource(pipe));
    for (let start = 0; start < sizeBytes; start += 100_000) {
      if (!pipe.write(bytes.subarray(start, start + 100_000))) await once(pipe, 'drain');
    }
    pipe.end();
    await upload;
    await expectStored(rig.emulator, bytes);
  });
});
