import { describe, expect, test } from 'vitest';
import type { FaultAction, FaultRule } from '../../src/emulator/index.ts';
import { bytesSource, createUploader, streamSource } from '../../src/index.ts';
import type { LayerEvent, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored } from './expectation.ts';
import { startRelay } from './fault-relay.ts';
import type { RelayFault } from './fault-relay.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig, uploaderOptionsFor } from './upload-rig.ts';

const small = layerBytes(4000);
const ALWAYS = 99;

function onPart(action: FaultAction, times = ALWAYS): { readonly faults: readonly FaultRule[] } {
  return { faults: [{ operation: 'UploadLayerPart', times, action }] };
}

describe('UploadLayerPart', () => {
  test.each([
    { exception: 'InvalidParameterException', code: 'E_REQUEST_INVALID' },
    { exception: 'RepositoryNotFoundException', code: 'E_REPOSITORY_NOT_FOUND' },
    { exception: 'LimitExceededException', code: 'E_QUOTA_EXCEEDED' },
    { exception: 'AccessDeniedException', code: 'E_ACCESS_DENIED' },
    { exception: 'InvalidSignatureException', code: 'E_CREDENTIALS' },
    { exception: 'SerializationException', code: 'E_REQUEST_INVALID' },
  ] as const)('ends in $code after $exception, without a second call', async (row) => {
    await using rig = await startRig(onPart({ kind: 'fail', exception: row.exception }));
    const error = await expectFailure(rig.upload(bytesSource(small)), row.code);
    expect(error.details).toMatchObject({
      operation: 'UploadLayerPart',
      repository: REPOSITORY,
      exception: row.exception,
      httpStatus: 400,
    });
    expect(callCounts(rig.emulator)).toEqual({
      BatchCheckLayerAvailability: 1,
      InitiateLayerUpload: 1,
      UploadLayerPart: 1,
    });
  });

  test("passes on KmsException's kmsError", async () => {
    await using rig = await startRig(
      onPart({
        kind: 'fail',
        exception: 'KmsException',
        members: { kmsError: 'KMS.NotFoundException' },
      }),
    );
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_KMS');
    expect(error.details.kmsError).toBe('KMS.NotFoundException');
  });

  test.each<{ name: string; action: FaultAction; code: 'E_THROTTLED' | 'E_REGISTRY_FAULT' }>([
    { name: 'throttling', action: { kind: 'throttle' }, code: 'E_THROTTLED' },
    {
      name: 'ServerException',
      action: { kind: 'fail', exception: 'ServerException', httpStatus: 500 },
      code: 'E_REGISTRY_FAULT',
    },
    {
      name: 'an HTML page',
      action: { kind: 'garbage', form: 'html', httpStatus: 503 },
      code: 'E_REGISTRY_FAULT',
    },
  ])('ends in $code when $name uses up all attempts', async ({ action, code }) => {
    const retried: LayerEvent[] = [];
    await using rig = await startRig(onPart(action));
    const error = await expectFailure(
      rig.upload(bytesSource(small), {
        onEvent: (event) => void (event.type === 'call-retried' && retried.push(event)),
      }),
      code,
    );
    expect(error.retryable).toBe(true);
    expect(retried).toMatchObject([
      { operation: 'UploadLayerPart', partIndex: 0, attempt: 1, code },
      { operation: 'UploadLayerPart', partIndex: 0, attempt: 2, code },
    ]);
    expect(callCounts(rig.emulator)['UploadLayerPart']).toBe(3);
  });

  test('backs off for at least half the bound while it is throttled', async () => {
    const delays: number[] = [];
    await using rig = await startRig({
      ...onPart({ kind: 'throttle' }, 3),
      uploader: { attemptsMax: 4, retryDelayMs: 8, retryDelayMsMax: 20 },
    });
    await rig.upload(bytesSource(small), {
      onEvent: (event) => void (event.type === 'call-retried' && delays.push(event.delayMs)),
    });
    const bounds = [8, 16, 20];
    expect(delays).toHaveLength(bounds.length);
    for (const [index, bound] of bounds.entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(bound / 2);
      expect(delays[index]).toBeLessThanOrEqual(bound);
    }
  });

  test('ends in E_NETWORK when every connection breaks', async () => {
    await using rig = await startRig(onPart({ kind: 'cut-body', afterBytes: 100 }));
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_NETWORK');
    expect(error.details).toMatchObject({ operation: 'UploadLayerPart', systemCode: 'ECONNRESET' });
  });

  test('ends in E_TIMEOUT when no reply ever comes', async () => {
    await using rig = await startRig({
      ...onPart({ kind: 'stall' }),
      uploader: { replyTimeoutMs: 250, attemptsMax: 2 },
    });
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_TIMEOUT');
    expect(error.details).toMatchObject({ operation: 'UploadLayerPart', waitedMs: 250 });
    expect(callCounts(rig.emulator)['UploadLayerPart']).toBe(2);
  });

  test('ends in E_REGISTRY_PROTOCOL when the replies never name the last byte', async () => {
    await using rig = await startRig({
      ...onPart({ kind: 'garbage', form: 'wrong-last-byte' }, 1),
      uploader: { attemptsMax: 1 },
    });
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_REGISTRY_PROTOCOL');
    expect(error.details).toMatchObject({ operation: 'UploadLayerPart' });
  });

  test('ends in E_PART_REJECTED with its range when ECR never wants the part', async () => {
    await using rig = await startRig(
      onPart({
        kind: 'fail',
        exception: 'InvalidLayerPartException',
        message: 'First byte of the layer part is 0 instead of 17',
        members: { lastValidByteReceived: 16 },
      }),
    );
    const error = await expectFailure(rig.upload(bytesSource(small)), 'E_PART_REJECTED');
    expect(error.details).toMatchObject({
      firstByte: 0,
      lastByte: small.length - 1,
      lastValidByteReceived: 16,
    });
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(2);
  });

  test('sends a part again that ECR refused although it wants exactly this part', async () => {
    await using rig = await startRig(
      onPart(
        {
          kind: 'fail',
          exception: 'InvalidLayerPartException',
          message: 'First byte of the layer part is 0 instead of 0',
          members: { lastValidByteReceived: 0 },
        },
        1,
      ),
    );
    await rig.upload(streamSource(new Blob([small]).stream()));
    await expectStored(rig.emulator, small);
  });
});

describe('a network that fails the parts', () => {
  const bytes = layerBytes(12 * MIB);
  const request = {
    repository: REPOSITORY,
    source: bytesSource(bytes, { digest: digestOf(bytes) }),
  };

  async function startBehind(fault: RelayFault, options: UploaderOptions = {}) {
    const rig = await startRig();
    const relay = await startRelay(rig.emulator.endpoint, fault);
    const uploader = createUploader({
      ...uploaderOptionsFor(rig.emulator),
      endpoint: relay.endpoint,
      ...options,
    });
    return {
      emulator: rig.emulator,
      uploader,
      [Symbol.asyncDispose]: async () => {
        await uploader.destroy();
        await relay[Symbol.asyncDispose]();
        await rig[Symbol.asyncDispose]();
      },
    };
  }

  test('may stall a socket: the part travels again on another connection', async () => {
    const retried: LayerEvent[] = [];
    await using rig = await startBehind(
      { kind: 'stall', afterBytes: 1000, times: 1 },
      { partSizeBytes: 20 * MIB, stallTimeoutMs: 500 },
    );
    await rig.uploader.uploadLayer(request, {
      onEvent: (event) => void (event.type === 'call-retried' && retried.push(event)),
    });
    expect(retried).toMatchObject([{ operation: 'UploadLayerPart', code: 'E_TIMEOUT' }]);
    await expectStored(rig.emulator, bytes);
  });

  test('may stall every socket: the layer ends in E_TIMEOUT', async () => {
    await using rig = await startBehind(
      { kind: 'stall', afterBytes: 1000, times: ALWAYS },
      { partSizeBytes: 20 * MIB, stallTimeoutMs: 60, attemptsMax: 2 },
    );
    const error = await expectFailure(rig.uploader.uploadLayer(request), 'E_TIMEOUT');
    expect(error.details).toMatchObject({ operation: 'UploadLayerPart', waitedMs: 60 });
  });

  test.each([
    { name: 'in its head', afterBytes: 20 },
    { name: 'in its body', afterBytes: 330 },
  ])('may cut a reply $name: what has landed is found out', async ({ afterBytes }) => {
    await using rig = await startBehind({ kind: 'cut-reply', afterBytes, times: 2 });
    await rig.uploader.uploadLayer(request);
    await expectStored(rig.emulator, bytes);
    expect(
      rig.emulator.journal.count({ exception: 'InvalidLayerPartException' }),
    ).toBeGreaterThanOrEqual(1);
  });
});
