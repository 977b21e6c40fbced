import { describe, expect, test } from 'vitest';
import { bytesSource, createUploader } from '../../src/index.ts';
import type { UploaderOptions } from '../../src/index.ts';
import { callCounts, expectFailure, expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { runUploadProgram } from './upload-program.ts';
import { REPOSITORY, startRig } from './upload-rig.ts';

const bytes = layerBytes(1000);
const request = { repository: REPOSITORY, source: bytesSource(bytes, { digest: digestOf(bytes) }) };
const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret' };
const impatient: UploaderOptions = {
  client: { credentials },
  workersMax: 1,
  attemptsMax: 2,
  retryDelayMs: 1,
  retryDelayMsMax: 2,
  proxy: 'none',
};

describe('an endpoint that cannot be reached', () => {
  test('ends in E_NETWORK when its name is unknown', async () => {
    await using uploader = createUploader({
      ...impatient,
      region: 'eu-central-1',
      endpoint: 'https://registry.invalid',
    });
    const error = await expectFailure(uploader.uploadLayer(request), 'E_NETWORK');
    expect(error.details.systemCode).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
    expect(error.message).toContain('registry.invalid');
    expect(error.message).toContain('name server');
  });

  test('ends in E_NETWORK when nothing listens', async () => {
    const rig = await startRig();
    const { endpoint } = rig.emulator;
    await rig[Symbol.asyncDispose]();
    await using uploader = createUploader({ ...impatient, region: 'eu-central-1', endpoint });
    const error = await expectFailure(uploader.uploadLayer(request), 'E_NETWORK');
    expect(error.details.systemCode).toBe('ECONNREFUSED');
    expect(error.message).toContain('check the endpoint');
  });

  test('ends in E_NETWORK when it goes away in the middle of a layer', async () => {
    await using rig = await startRig();
    const upload = rig.upload(bytesSource(bytes), {
      onEvent: ({ type }) => void (type === 'upload-initiated' && rig.emulator.stop()),
    });
    const error = await expectFailure(upload, 'E_NETWORK');
    expect(error.details.operation).toBe('UploadLayerPart');
  });
});

describe('the endpoint that AWS settings lead to', () => {
  test.each<{ host: string; options: UploaderOptions }>([
    { host: 'api.ecr.eu-central-1.amazonaws.com', options: {} },
    {
      host: 'api.ecr-fips.us-east-1.amazonaws.com',
      options: { region: 'us-east-1', client: { useFipsEndpoint: true } },
    },
    {
      host: 'ecr.eu-central-1.api.aws',
      options: { client: { useDualstackEndpoint: true } },
    },
    {
      host: 'ecr-fips.us-east-1.api.aws',
      options: {
        region: 'us-east-1',
        client: { useFipsEndpoint: true, useDualstackEndpoint: true },
      },
    },
    {
      host: 'api.ecr.cn-north-1.amazonaws.com.cn',
      options: { region: 'cn-north-1' },
    },
    { host: 'ecr.example.test', options: { endpoint: 'https://ecr.example.test' } },
  ])('is $host', async ({ host, options }) => {
    const hosts: string[] = [];
    await using uploader = createUploader({
      ...impatient,
      region: 'eu-central-1',
      attemptsMax: 1,
      ...options,
      client: {
        credentials,
        ...options.client,
        requestHandler: {
          handle: (asked: { hostname: string }) => {
            hosts.push(asked.hostname);
            return Promise.reject(new Error('no network here'));
          },
        },
      },
    });
    await reasonOf(uploader.uploadLayer(request));
    expect(hosts).toEqual([host]);
  });

  test("is the environment's", async () => {
    await using rig = await startRig();
    const { receipt } = await runUploadProgram(rig.emulator.environment());
    expect(receipt).toMatchObject({ outcome: 'uploaded' });
    await expectStored(rig.emulator, new Uint8Array(1000).fill(7));
    expect(callCounts(rig.emulator)).toMatchObject({ UploadLayerPart: 1, CompleteLayerUpload: 1 });
  });

  test('ends in an error that names the region when there is none', async () => {
    const { failure } = await runUploadProgram(
      { AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'test-secret' },
      { attemptsMax: 8, retryDelayMs: 60_000 },
    );
    expect(failure).toMatchObject({ code: 'E_OPTION_INVALID', details: { option: 'region' } });
    expect(failure?.message).toMatch(/AWS_REGION/);
  });

  test('is asked for by settings that contradict each other: E_OPTION_INVALID, no retry', async () => {
    const events: string[] = [];
    await using uploader = createUploader({
      ...impatient,
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      client: { credentials, useFipsEndpoint: true },
    });
    const upload = uploader.uploadLayer(request, { onEvent: ({ type }) => void events.push(type) });
    const error = await expectFailure(upload, 'E_OPTION_INVALID');
    expect(error.message).toMatch(/FIPS/);
    expect(events).not.toContain('call-retried');
  });

  test.each(['EU West', 'https://example.test'])('cannot be of the region %s', async (region) => {
    await using uploader = createUploader({ ...impatient, region });
    const error = await expectFailure(uploader.uploadLayer(request), 'E_OPTION_INVALID');
    expect(error.details.option).toBe('region');
  });

  test('ends in E_CREDENTIALS when the environment has none', async () => {
    const { failure } = await runUploadProgram({ AWS_REGION: 'eu-central-1' });
    expect(failure?.code).toBe('E_CREDENTIALS');
  });
});
