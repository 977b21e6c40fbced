import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { EmulatorOptions } from '../../src/emulator/index.ts';
import { REPOSITORY, expectException, startUpload, withEmulator } from './fixture.ts';

function withClock(quotas: NonNullable<EmulatorOptions['quotas']>): {
  readonly options: EmulatorOptions;
  readonly advance: (ms: number) => void;
} {
  let nowMs = Date.now();
  return {
    options: { quotas, clock: () => nowMs },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

test('a bucket is empty after its burst and fills again with time', async () => {
  const { advance, options } = withClock({ InitiateLayerUpload: { perSecond: 2, burst: 3 } });
  await withEmulator(options, async (_, client) => {
    const refused = {
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 400 },
    };
    for (let count = 0; count < 3; count += 1) await startUpload(client);
    await expectException(startUpload(client), refused);
    advance(499);
    await expectException(startUpload(client), refused);
    advance(2);
    await startUpload(client);
    await expectException(startUpload(client), refused);
    // Within the five minutes that a signature lasts.
    advance(240_000);
    for (let count = 0; count < 3; count += 1) await startUpload(client);
    await expectException(startUpload(client), refused);
  });
});

test("ECR's own quotas allow ten PutImage a second", async () => {
  const { options } = withClock('ecr');
  await withEmulator(options, async (emulator, client) => {
    const put = (): Promise<unknown> =>
      client.putImage({ repositoryName: REPOSITORY, imageManifest: '{' });
    const results = await Promise.allSettled(Array.from({ length: 12 }, put));
    const names = results.map((result) =>
      result.status === 'rejected' ? (result.reason as Error).name : '',
    );
    expect(names.filter((name) => name === 'ThrottlingException')).toHaveLength(2);
    expect(emulator.journal.count({ exception: 'ThrottlingException' })).toBe(2);
  });
});

test('options out of their range are refused', async () => {
  await expect(startEmulator({ port: -1 })).rejects.toThrow(RangeError);
  await expect(startEmulator({ registryId: '1' })).rejects.toThrow(RangeError);
  await expect(startEmulator({ partSizeMaxBytes: 21 * 1024 * 1024 })).rejects.toThrow(RangeError);
  await expect(startEmulator({ discard: true, dataDirectory: '/nowhere' })).rejects.toThrow(
    RangeError,
  );
});
