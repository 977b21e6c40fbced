import { describe, expect, test } from 'vitest';
import type { FaultAction } from '../../src/emulator/index.ts';
import { bytesSource, streamSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import {
  callCounts,
  expectFailure,
  expectPartsInOrder,
  expectStored,
  reasonOf,
} from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig } from './upload-rig.ts';

const small = layerBytes(3000);

function onComplete(action: FaultAction, times = 1) {
  return { faults: [{ operation: 'CompleteLayerUpload', times, action }] } as const;
}

function refusal(exception: string, extra: object = {}) {
  return onComplete({ kind: 'fail', exception, ...extra }, 99);
}

describe('CompleteLayerUpload', () => {
  test('is sent once, with upload id, repository, registry and digest', async () => {
    const calls: unknown[] = [];
    await using rig = await startRig({
      uploader: {
        registryId: '123456789012',
        client: {
          logger: {
            debug: () => undefined,
            info: (entry: unknown) => calls.push(entry),
            warn: () => undefined,
            error: () => undefined,
          },
          credentials: {
            accessKeyId: 'AKIDEMULATOR00000000',
            secretAccessKey: 'emulator-secret-key-known-to-everyone000',
          },
        },
      },
    });
    const bytes = layerBytes(6 * MIB);
    const receipt = await rig.upload(bytesSource(bytes, { label: 'six' }));
    expect(receipt).toMatchObject({
      repository: REPOSITORY,
      source: 'six',
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      outcome: 'uploaded',
      partCount: 2,
      sentBytes: bytes.length,
    });
    expect(callCounts(rig.emulator)).toEqual({
      BatchCheckLayerAvailability: 1,
      InitiateLayerUpload: 1,
      UploadLayerPart: 2,
      CompleteLayerUpload: 1,
    });
    const [part] = rig.emulator.journal.entries({ operation: 'UploadLayerPart' });
    expect(calls).toContainEqual(
      expect.objectContaining({
        commandName: 'CompleteLayerUploadCommand',
        input: {
          registryId: '123456789012',
          repositoryName: REPOSITORY,
          uploadId: part?.uploadId,
          layerDigests: [digestOf(bytes)],
        },
      }),
    );
    await expectStored(rig.emulator, bytes);
    expectPartsInOrder(rig.emulator);
    expect(rig.emulator.uploads()).toEqual([]);
  });

  test('is repeated after a ServerException that did nothing', async () => {
    await using rig = await startRig(
      onComplete({ kind: 'fail', exception: 'ServerException', httpStatus: 500 }),
    );
    await expect(rig.upload(bytesSource(small))).resolves.toMatchObject({ outcome: 'uploaded' });
    expect(callCounts(rig.emulator)).toMatchObject({ UploadLayerPart: 1, CompleteLayerUpload: 2 });
    await expectStored(rig.emulator, small);
  });

  test.each<{ name: string; action: FaultAction }>([
    { name: 'the reply is lost', action: { kind: 'lose-reply' } },
    {
      name: 'a ServerException hides the success',
      action: { kind: 'fail', exception: 'ServerException', httpStatus: 500, committed: true },
    },
    { name: 'the reply is not JSON', action: { kind: 'garbage', form: 'not-json' } },
    { name: 'the reply is cut', action: { kind: 'garbage', form: 'cut-json' } },
  ])('counts as a success without a second upload when $name', async ({ action }) => {
    await using rig = await startRig(onComplete(action));
    await expect(rig.upload(bytesSource(small))).resolves.toMatchObject({ outcome: 'uploaded' });
    expect(callCounts(rig.emulator)).toMatchObject({ InitiateLayerUpload: 1, UploadLayerPart: 1 });
    await expectStored(rig.emulator, small);
  });

  test('looks the layer up when every attempt ends in ServerException, and finds it stored', async () => {
    await using rig = await startRig(
      onComplete(
        { kind: 'fail', exception: 'ServerException', httpStatus: 500, committed: true },
        99,
      ),
    );
    await expect(rig.upload(bytesSource(small))).resolves.toMatchObject({ outcome: 'uploaded' });
    expect(callCounts(rig.emulator)).toEqual({
      BatchCheckLayerAvailability: 2,
      InitiateLayerUpload: 1,
      UploadLayerPart: 1,
      CompleteLayerUpload: 3,
    });
  });

  test('ends in E_REGISTRY_FAULT when every attempt fails and the layer is not there', async () => {
    await using rig = await startRig(refusal('ServerException', { httpStatus: 500 }));
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_REGISTRY_FAULT');
    expect(error).toMatchObject({
      origin: 'registry',
      retryable: true,
      details: { operation: 'CompleteLayerUpload', exception: 'ServerException', httpStatus: 500 },
    });
    expect(callCounts(rig.emulator)).toMatchObject({
      BatchCheckLayerAvailability: 2,
      CompleteLayerUpload: 3,
    });
  });

  test.each([
    { exception: 'InvalidParameterException', code: 'E_REQUEST_INVALID', text: /repository name/ },
    { exception: 'InvalidLayerException', code: 'E_LAYER_REJECTED', text: /again/ },
    { exception: 'LayerPartTooSmallException', code: 'E_LAYER_REJECTED', text: /partSizeBytes/ },
    { exception: 'EmptyUploadException', code: 'E_LAYER_REJECTED', text: /one byte/ },
    {
      exception: 'RepositoryNotFoundException',
      code: 'E_REPOSITORY_NOT_FOUND',
      text: /aws ecr create-repository/,
    },
  ] as const)('ends in $code after $exception, at once', async ({ exception, code, text }) => {
    await using rig = await startRig(refusal(exception));
    const error = await expectFailure(rig.upload(bytesSource(small)), code);
    expect(error.message).toMatch(text);
    expect(error).toMatchObject({
      retryable: false,
      details: { operation: 'CompleteLayerUpload', repository: REPOSITORY, exception },
    });
    expect(callCounts(rig.emulator)).toMatchObject({
      InitiateLayerUpload: 1,
      CompleteLayerUpload: 1,
    });
  });

  test("passes on what the key service said, in KmsException's kmsError", async () => {
    await using rig = await startRig(
      refusal('KmsException', { members: { kmsError: 'KMS.DisabledException' } }),
    );
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_KMS');
    expect(error.details).toMatchObject({ kmsError: 'KMS.DisabledException' });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBe(1);
  });

  test('takes LayerAlreadyExistsException for a layer that is there', async () => {
    await using rig = await startRig();
    await rig.upload(bytesSource(small));
    rig.emulator.journal.clear();
    const again = await rig.uploader.uploadLayer({
      repository: REPOSITORY,
      source: bytesSource(small),
      checkFirst: false,
    });
    expect(again).toMatchObject({ outcome: 'already-present', partCount: 1 });
    expect(rig.emulator.journal.count({ exception: 'LayerAlreadyExistsException' })).toBe(1);
  });

  test('starts the layer again once after UploadNotFoundException', async () => {
    const events: string[] = [];
    await using rig = await startRig(
      onComplete({ kind: 'fail', exception: 'UploadNotFoundException' }),
    );
    const receipt = await rig.upload(bytesSource(small), {
      onEvent: ({ type }) => events.push(type),
    });
    expect(receipt).toMatchObject({ outcome: 'uploaded', partCount: 1, sentBytes: 6000 });
    expect(callCounts(rig.emulator)).toMatchObject({
      InitiateLayerUpload: 2,
      UploadLayerPart: 2,
      CompleteLayerUpload: 2,
    });
    expect(events.filter((type) => type === 'layer-restarted')).toHaveLength(1);
    await expectStored(rig.emulator, small);
  });

  test('ends in E_UPLOAD_LOST after a second UploadNotFoundException', async () => {
    await using rig = await startRig(refusal('UploadNotFoundException'));
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_UPLOAD_LOST');
    expect(error.details.uploadId).toMatch(/^[0-9a-f-]{36}$/);
    expect(error.retryable).toBe(true);
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(2);
  });

  test('ends in E_UPLOAD_LOST for a stream, which cannot be read again', async () => {
    await using rig = await startRig(refusal('UploadNotFoundException'));
    const stream = new Blob([small]).stream();
    await expectFailure(rig.upload(streamSource(stream)), 'E_UPLOAD_LOST');
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(1);
  });

  test('starts again from a function that makes the stream anew', async () => {
    await using rig = await startRig(
      onComplete({ kind: 'fail', exception: 'UploadNotFoundException' }),
    );
    const source = streamSource(() => new Blob([small]).stream());
    await expect(rig.upload(source)).resolves.toMatchObject({ outcome: 'uploaded' });
    await expectStored(rig.emulator, small);
  });

  test('is not believed when it names another digest', async () => {
    await using rig = await startRig(onComplete({ kind: 'garbage', form: 'wrong-layer-digest' }));
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_REGISTRY_PROTOCOL');
    expect(error.details).toMatchObject({
      operation: 'CompleteLayerUpload',
      expected: digestOf(small),
      received: `sha256:${'0'.repeat(64)}`,
    });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBe(1);
  });

  test('is repeated with back-off while it is throttled', async () => {
    await using rig = await startRig(onComplete({ kind: 'throttle' }, 2));
    await expect(rig.upload(bytesSource(small))).resolves.toMatchObject({ outcome: 'uploaded' });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBe(3);
  });

  test('is not sent when the layer fails before', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          times: 99,
          action: { kind: 'fail', exception: 'KmsException' },
        },
      ],
    });
    await reasonOf(rig.upload(bytesSource(small)));
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });
});
