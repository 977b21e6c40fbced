import { describe, expect, test } from 'vitest';
import { bytesSource, createUploader, LongshoreError } from '../../src/index.ts';
import type { LayerRequest, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectFailure } from './expectation.ts';

function refusalOf(options: unknown): LongshoreError<'E_OPTION_INVALID'> {
  try {
    createUploader(options as UploaderOptions);
  } catch (error) {
    if (LongshoreError.is(error, 'E_OPTION_INVALID')) return error;
    throw error;
  }
  throw new Error(`taken: ${JSON.stringify(options)}`);
}

describe('an option that cannot work is refused before anything starts', () => {
  test.each([
    { layersInFlight: 0 },
    { layersInFlight: 257 },
    { partsInFlight: 65 },
    { partsInFlight: 1.5 },
    { partsInFlightTotal: Number.NaN },
    { workersMax: 0 },
    { workersMax: '2' },
    { attemptsMax: 0 },
    { attemptsMax: 101 },
    { retryDelayMs: 0 },
    { retryDelayMsMax: -1 },
    { connectTimeoutMs: 0 },
    { stallTimeoutMs: Number.POSITIVE_INFINITY },
    { replyTimeoutMs: 600_001 },
    { tailHoldMs: 0 },
    { bytesInMemoryMax: 31 * MIB },
    { partSizeBytes: 5 * MIB - 1 },
    { partSizeBytes: 20 * MIB + 1 },
    { registryId: '1234' },
    { hasher: 'md5' },
    { proxy: 'http://proxy.example' },
    { endpoint: 'registry' },
    { region: '' },
    { partSize: 10 * MIB },
    { callsPerSecondMax: 100 },
    { callsPerSecondMax: null },
  ])('%j', (options) => {
    const [name, value] = Object.entries(options)[0] ?? [];
    const error = refusalOf(options);
    expect(error.details.option).toBe(name);
    expect(error.message).toMatch(new RegExp(`^${name}: expected .+, received `));
    expect(error.origin).toBe('caller');
    expect(error.details.expected).not.toBe('');
    expect(value).not.toBe(undefined);
  });

  test.each<object>([
    { PutImage: 0 },
    { PutImage: 0.09 },
    { PutImage: Number.NaN },
    { PutImage: -1 },
    { InitiateLayerUpload: '80' },
    { UploadLayerPart: 100_001 },
    { InitiateUpload: 80 },
    { toString: 80 },
  ])('callsPerSecondMax: %j', (callsPerSecondMax) => {
    const [operation] = Object.keys(callsPerSecondMax);
    const error = refusalOf({ region: 'eu-central-1', callsPerSecondMax });
    expect(error.details.option).toBe(`callsPerSecondMax.${operation}`);
  });

  test('options left undefined are those left out', async () => {
    const uploader = createUploader({
      region: 'eu-central-1',
      ...({ workersMax: undefined, partSizeBytes: undefined, hasher: undefined } as object),
      callsPerSecondMax: { PutImage: Infinity, ...({ UploadLayerPart: undefined } as object) },
    });
    expect(uploader.snapshot().layers).toEqual([]);
    await uploader.close();
  });
});

describe('a request that cannot work is refused without a call', () => {
  const source = bytesSource(new Uint8Array(1));
  test.each<{ name: string; request: object; option: string }>([
    { name: 'no name', request: { repository: '', source }, option: 'repository' },
    { name: 'a short name', request: { repository: 'a', source }, option: 'repository' },
    { name: 'upper case', request: { repository: 'Team/App', source }, option: 'repository' },
    { name: 'a tag', request: { repository: 'team/app:1', source }, option: 'repository' },
    { name: 'a path upwards', request: { repository: '../app', source }, option: 'repository' },
    {
      name: 'a registry host',
      request: {
        repository: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:latest',
        source,
      },
      option: 'repository',
    },
    {
      name: 'a name of 257 characters',
      request: { repository: 'a'.repeat(257), source },
      option: 'repository',
    },
    { name: 'no source', request: { repository: 'team/app' }, option: 'source' },
    {
      name: 'bytes as a source',
      request: { repository: 'team/app', source: [1] },
      option: 'source',
    },
    {
      name: 'a digest in upper case',
      request: { repository: 'team/app', source, digest: `sha256:${'A'.repeat(64)}` },
      option: 'digest',
    },
    {
      name: 'another algorithm',
      request: { repository: 'team/app', source, digest: `sha512:${'a'.repeat(128)}` },
      option: 'digest',
    },
    {
      name: "a source's digest that is none",
      request: { repository: 'team/app', source: { ...source, digest: 'sha256:12' } },
      option: 'digest',
    },
  ])('$name', async ({ request, option }) => {
    await using uploader = createUploader({ region: 'eu-central-1' });
    const error = await expectFailure(
      uploader.uploadLayer(request as LayerRequest),
      'E_OPTION_INVALID',
    );
    expect(error.details.option).toBe(option);
    expect(uploader.snapshot().failedLayerCount).toBe(0);
  });
});
