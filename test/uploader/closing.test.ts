import { describe, expect, test } from 'vitest';
import { bytesSource, createUploader, LongshoreError } from '../../src/index.ts';
import type { LayerEvent, Uploader } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { runUploadProgram } from './upload-program.ts';
import { REPOSITORY, startRig, uploaderOptionsFor } from './upload-rig.ts';

const bytes = layerBytes(6 * MIB);
const source = bytesSource(bytes);

describe('close', () => {
  test('lets what runs and what waits finish, and takes no more', async () => {
    await using rig = await startRig({ uploader: { layersInFlight: 1 } });
    const other = layerBytes(1000, 2);
    const uploads = [rig.upload(source), rig.upload(bytesSource(other))];
    const closed = rig.uploader.close();
    await expectFailure(rig.upload(bytesSource(layerBytes(10))), 'E_CLOSED');
    await closed;
    expect(await Promise.all(uploads)).toMatchObject([
      { outcome: 'uploaded', digest: digestOf(bytes) },
      { outcome: 'uploaded', digest: digestOf(other) },
    ]);
    await expectStored(rig.emulator, bytes);
    await expectFailure(rig.upload(source), 'E_CLOSED');
  });

  test('may be called often and together with destroy, also when nothing was uploaded', async () => {
    const uploader = createUploader({ region: 'eu-central-1' });
    await Promise.all([uploader.close(), uploader.close(), uploader.destroy(), uploader.close()]);
    await uploader.close();
    await uploader.destroy();
    expect(uploader.snapshot()).toMatchObject({ layers: [], bytesInMemory: 0 });
  });

  test('waits for uploads that fail, and does not fail with them', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'InitiateLayerUpload',
          action: { kind: 'fail', exception: 'KmsException' },
        },
      ],
    });
    const upload = expectFailure(rig.upload(source), 'E_KMS');
    await rig.uploader.close();
    await upload;
  });

  test('is what await using does', async () => {
    await using rig = await startRig();
    let kept: Uploader;
    {
      await using uploader = createUploader(uploaderOptionsFor(rig.emulator));
      kept = uploader;
      void uploader.uploadLayer({ repository: REPOSITORY, source });
    }
    await expectStored(rig.emulator, bytes);
    await expectFailure(kept.uploadLayer({ repository: REPOSITORY, source }), 'E_CLOSED');
  });
});

describe('destroy', () => {
  const stalled = {
    faults: [{ operation: 'UploadLayerPart', times: 9, action: { kind: 'stall' } }],
  } as const;

  test.each([
    { name: 'with its reason', given: [new Error('power is failing')], code: undefined },
    { name: 'with E_CLOSED where none is given', given: [], code: 'E_CLOSED' },
  ])('aborts what runs, at once, $name', async ({ given, code }) => {
    await using rig = await startRig({ ...stalled, uploader: { layersInFlight: 1 } });
    const onEvent = ({ type }: LayerEvent): void => {
      if (type === 'upload-initiated') void rig.uploader.destroy(...given);
    };
    const upload = reasonOf(rig.upload(source, { onEvent }));
    const waiting = reasonOf(rig.upload(bytesSource(layerBytes(9))));
    const error = await upload;
    expect(error).toBe(given[0] ?? error);
    expect(LongshoreError.is(error) ? error.code : undefined).toBe(code);
    expect(await waiting).toBe(error);
    const startedAtMs = performance.now();
    await rig.uploader.close();
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('ends a close that drains', async () => {
    await using rig = await startRig(stalled);
    const upload = reasonOf(
      rig.upload(source, {
        onEvent: ({ type }) => void (type === 'upload-initiated' && void rig.uploader.destroy()),
      }),
    );
    await rig.uploader.close();
    expect(await upload).toMatchObject({ code: 'E_CLOSED', origin: 'caller' });
  });
});

/**
 * What is open after and was not before. What Node itself opens and closes for standard streams differs
 * from version to version; an immediate is the program's own way to look.
 */
function leftOpen(before: readonly string[], after: readonly string[]): string[] {
  const known = [...before];
  return after.filter((resource) => {
    const index = known.indexOf(resource);
    if (index >= 0) known.splice(index, 1);
    return index < 0 && resource !== 'Immediate' && resource !== 'PipeWrap';
  });
}

describe('a process', () => {
  test('may have many uploads that share a signal, without a warning', async () => {
    await using rig = await startRig();
    const { signal } = new AbortController();
    const layers = Array.from({ length: 15 }, (_, index) => layerBytes(100, index + 1));
    await Promise.all(layers.map((layer) => rig.upload(bytesSource(layer), { signal })));
    expect(rig.uploader.snapshot().uploadedLayerCount).toBe(15);
  });

  test('ends by itself after close, and nothing is left open', async () => {
    await using rig = await startRig();
    const { receipt, before, after, stderr } = await runUploadProgram(rig.emulator.environment());
    expect(receipt).toMatchObject({ outcome: 'uploaded' });
    expect(leftOpen(before, after)).toEqual([]);
    expect(stderr).toBe('');
  });

  test('ends by itself after an upload that failed', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          action: { kind: 'fail', exception: 'AccessDeniedException' },
        },
      ],
    });
    const { failure, before, after } = await runUploadProgram(rig.emulator.environment());
    expect(failure?.code).toBe('E_ACCESS_DENIED');
    expect(leftOpen(before, after)).toEqual([]);
  });

  test('may have two uploaders that do not disturb each other', async () => {
    await using rig = await startRig();
    await using other = await startRig({ emulator: { region: 'eu-west-3' } });
    const layers = [1, 2, 3].map((seed) => layerBytes(3000, seed));
    const uploads = layers.map((layer) => rig.upload(bytesSource(layer)));
    const aborted = reasonOf(other.upload(source));
    await other.uploader.destroy();
    expect(await aborted).toMatchObject({ code: 'E_CLOSED' });
    await Promise.all(uploads);
    await rig.upload(source);
    for (const layer of [...layers, bytes]) await expectStored(rig.emulator, layer);
    expect(rig.uploader.snapshot().uploadedLayerCount).toBe(4);
    expect(other.uploader.snapshot()).toMatchObject({ uploadedLayerCount: 0, failedLayerCount: 1 });
  });
});
