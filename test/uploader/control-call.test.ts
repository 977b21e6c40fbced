import { DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultAction, FaultRule } from '../../src/emulator/index.ts';
import { bytesSource } from '../../src/index.ts';
import type { LayerEvent } from '../../src/index.ts';
import { callCounts, expectFailure, expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { makeRepository, startRig } from './upload-rig.ts';
import type { UploadRig } from './upload-rig.ts';

const small = layerBytes(2000);
const OPERATIONS = ['BatchCheckLayerAvailability', 'InitiateLayerUpload'] as const;
/** Of known digest, so that a refusal costs no worker thread. */
const known = bytesSource(small, { digest: digestOf(small) });
/** Strikes as often as it is asked. */
const ALWAYS = 99;

function fail(exception: string, httpStatus = 400): FaultAction {
  return { kind: 'fail', exception, httpStatus };
}

describe.each(OPERATIONS)('%s', (operation) => {
  // One uploader for all that ends well: a fault must not spoil the calls after it.
  let shared: UploadRig;
  let lastRepository = 0;
  beforeAll(async () => {
    shared = await startRig({ uploader: { replyTimeoutMs: 1000 } });
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  const strike = (action: FaultAction, times = 1): FaultRule => ({ operation, times, action });

  test.each<{ name: string; action: FaultAction }>([
    { name: 'a ServerException', action: fail('ServerException', 500) },
    { name: 'a ThrottlingException', action: fail('ThrottlingException') },
    { name: 'TooManyRequestsException with 429', action: fail('TooManyRequestsException', 429) },
    { name: 'a lost reply', action: { kind: 'lose-reply' } },
    { name: 'a reset connection', action: { kind: 'reset' } },
    { name: 'a cut request', action: { kind: 'cut-body', afterBytes: 10 } },
    { name: 'a reply that is not JSON', action: { kind: 'garbage', form: 'not-json' } },
    { name: 'a reply that is cut', action: { kind: 'garbage', form: 'cut-json' } },
    {
      name: 'an HTML page with 502',
      action: { kind: 'garbage', form: 'html', httpStatus: 502 },
    },
    {
      name: 'an HTML page with 503',
      action: { kind: 'garbage', form: 'html', httpStatus: 503 },
    },
    {
      name: 'an HTML page with 504',
      action: { kind: 'garbage', form: 'html', httpStatus: 504 },
    },
    { name: 'a reply that does not come', action: { kind: 'stall' } },
  ])('is repeated after $name', async ({ action }) => {
    const retried: LayerEvent[] = [];
    lastRepository += 1;
    const repository = `team/app-${lastRepository}`;
    await makeRepository(shared.emulator, repository);
    shared.emulator.journal.clear();
    shared.emulator.addFaults([strike(action)]);
    await shared.uploader.uploadLayer(
      { repository, source: known },
      { onEvent: (event) => void (event.type === 'call-retried' && retried.push(event)) },
    );
    expect(retried).toMatchObject([{ operation, attempt: 1 }]);
    expect(callCounts(shared.emulator)).toMatchObject({ [operation]: 2, CompleteLayerUpload: 1 });
    await expectStored(shared.emulator, small, repository);
  });

  test.each([
    { exception: 'InvalidParameterException', code: 'E_REQUEST_INVALID' },
    { exception: 'ValidationException', code: 'E_REQUEST_INVALID' },
    { exception: 'RepositoryNotFoundException', code: 'E_REPOSITORY_NOT_FOUND' },
    { exception: 'KmsException', code: 'E_KMS' },
    { exception: 'LimitExceededException', code: 'E_QUOTA_EXCEEDED' },
    { exception: 'AccessDeniedException', code: 'E_ACCESS_DENIED' },
    { exception: 'UnrecognizedClientException', code: 'E_CREDENTIALS' },
    { exception: 'AnExceptionOfTheFuture', code: 'E_REQUEST_INVALID' },
  ] as const)('ends in $code after $exception, without a second call', async (row) => {
    await using rig = await startRig({ faults: [strike(fail(row.exception), ALWAYS)] });
    const error = await expectFailure(rig.upload(known), row.code);
    expect(error.details).toMatchObject({ operation, exception: row.exception, httpStatus: 400 });
    expect(rig.emulator.journal.count({ operation })).toBe(1);
  });

  test.each([
    { exception: 'ThrottlingException', httpStatus: 400, code: 'E_THROTTLED' },
    { exception: 'ServerException', httpStatus: 500, code: 'E_REGISTRY_FAULT' },
  ] as const)('ends in $code when $exception uses up all attempts', async (row) => {
    await using rig = await startRig({
      faults: [strike(fail(row.exception, row.httpStatus), ALWAYS)],
    });
    const error = await expectFailure(rig.upload(known), row.code);
    expect(error.retryable).toBe(true);
    expect(rig.emulator.journal.count({ operation })).toBe(3);
  });

  test('ends in E_NETWORK when every connection breaks', async () => {
    await using rig = await startRig({ faults: [strike({ kind: 'reset' }, ALWAYS)] });
    const error = await expectFailure(rig.upload(known), 'E_NETWORK');
    expect(error.details).toMatchObject({ operation, systemCode: 'ECONNRESET' });
  });

  test('ends in E_TIMEOUT when no reply ever comes, and says how long it waited', async () => {
    await using rig = await startRig({
      uploader: { replyTimeoutMs: 250, attemptsMax: 2 },
      faults: [strike({ kind: 'stall' }, ALWAYS)],
    });
    const error = await expectFailure(rig.upload(known), 'E_TIMEOUT');
    expect(error.details.operation).toBe(operation);
    expect(error.details.waitedMs).toBeGreaterThanOrEqual(245);
    expect(rig.emulator.journal.count({ operation })).toBe(2);
  });

  test('waits as long as the registry asks with Retry-After, within the bound', async () => {
    const delays: number[] = [];
    await using rig = await startRig({
      uploader: { retryDelayMsMax: 20 },
      faults: [
        strike({
          kind: 'fail',
          exception: 'ThrottlingException',
          headers: { 'retry-after': '30' },
        }),
      ],
    });
    await rig.upload(bytesSource(small), {
      onEvent: (event) => void (event.type === 'call-retried' && delays.push(event.delayMs)),
    });
    expect(delays).toEqual([20]);
  });
});

describe('a repository that is missing', () => {
  const request = { repository: 'team/new', source: known };

  test('ends in E_REPOSITORY_NOT_FOUND, which says how to create it', async () => {
    await using rig = await startRig();
    const error = await expectFailure(rig.uploader.uploadLayer(request), 'E_REPOSITORY_NOT_FOUND');
    expect(error.message).toContain('team/new');
    expect(error.message).toContain('aws ecr create-repository --repository-name');
    expect(error.message).toContain('createRepository');
    expect(callCounts(rig.emulator)).toEqual({ BatchCheckLayerAvailability: 1 });
  });

  test('is created with the given settings where that is wanted', async () => {
    const events: string[] = [];
    await using rig = await startRig({
      uploader: { createRepository: { imageTagMutability: 'IMMUTABLE' } },
    });
    await rig.uploader.uploadLayer(request, { onEvent: ({ type }) => void events.push(type) });
    expect(events.filter((type) => type === 'repository-created')).toHaveLength(1);
    const { credentials, region, requestHandler } = rig.emulator;
    const client = new ECRClient({ region, credentials, requestHandler });
    const { repositories } = await client.send(
      new DescribeRepositoriesCommand({ repositoryNames: ['team/new'] }),
    );
    expect(repositories).toMatchObject([{ imageTagMutability: 'IMMUTABLE' }]);
    await expectStored(rig.emulator, small, 'team/new');
  });

  test('is created by the first of several uploads, and the others go on', async () => {
    await using rig = await startRig({ uploader: { createRepository: true } });
    const layers = [1, 2, 3, 4].map((seed) => layerBytes(1500, seed));
    await Promise.all(
      layers.map((bytes) =>
        rig.uploader.uploadLayer({ repository: 'team/new', source: bytesSource(bytes) }),
      ),
    );
    for (const bytes of layers) await expectStored(rig.emulator, bytes, 'team/new');
  });

  test('is created on the way to Initiate when nothing is checked first', async () => {
    await using rig = await startRig({ uploader: { createRepository: true } });
    await rig.uploader.uploadLayer({ ...request, checkFirst: false });
    expect(callCounts(rig.emulator)).toEqual({
      InitiateLayerUpload: 2,
      CreateRepository: 1,
      UploadLayerPart: 1,
      CompleteLayerUpload: 1,
    });
  });

  test.each([
    { exception: 'LimitExceededException', code: 'E_QUOTA_EXCEEDED' },
    { exception: 'InvalidParameterException', code: 'E_REQUEST_INVALID' },
    { exception: 'InvalidTagParameterException', code: 'E_REQUEST_INVALID' },
    { exception: 'TooManyTagsException', code: 'E_REQUEST_INVALID' },
    { exception: 'KmsException', code: 'E_KMS' },
    { exception: 'AccessDeniedException', code: 'E_ACCESS_DENIED' },
  ] as const)('ends in $code when its creation ends in $exception', async (row) => {
    await using rig = await startRig({
      uploader: { createRepository: true },
      faults: [{ operation: 'CreateRepository', times: ALWAYS, action: fail(row.exception) }],
    });
    const error = await expectFailure(rig.uploader.uploadLayer(request), row.code);
    expect(error.details).toMatchObject({ operation: 'CreateRepository' });
    expect(rig.emulator.journal.count({ operation: 'CreateRepository' })).toBe(1);
  });
});

describe('a layer that ECR has', () => {
  test('is found by one call, and no byte is sent', async () => {
    await using rig = await startRig();
    await rig.upload(bytesSource(small));
    rig.emulator.journal.clear();
    const receipt = await rig.upload(bytesSource(small));
    expect(receipt).toMatchObject({
      outcome: 'already-present',
      sizeBytes: small.length,
      partCount: 0,
      sentBytes: 0,
    });
    expect(callCounts(rig.emulator)).toEqual({ BatchCheckLayerAvailability: 1 });
  });

  test('is found where the reply to the check was lost first', async () => {
    await using rig = await startRig();
    await rig.upload(bytesSource(small));
    rig.emulator.addFaults([
      { operation: 'BatchCheckLayerAvailability', action: { kind: 'lose-reply' } },
    ]);
    await expect(rig.upload(bytesSource(small))).resolves.toMatchObject({
      outcome: 'already-present',
    });
  });
});
