import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/index.ts';
import type { UploaderOptions } from '../../src/index.ts';
import { startRig } from './upload-rig.ts';

/** ECR's quotas, a fifth of them. */
const QUOTAS = {
  InitiateLayerUpload: { perSecond: 20 },
  UploadLayerPart: { perSecond: 100 },
  CompleteLayerUpload: { perSecond: 20 },
};
const LAYER_COUNT = 48;

async function throttledOf(
  callsPerSecondMax: NonNullable<UploaderOptions['callsPerSecondMax']>,
): Promise<{ throttledCount: number; initiateCount: number }> {
  await using rig = await startRig({
    emulator: { quotas: QUOTAS },
    uploader: { callsPerSecondMax, layersInFlight: LAYER_COUNT, attemptsMax: 20 },
  });
  const receipts = await Promise.all(
    Array.from({ length: LAYER_COUNT }, () => rig.upload(bytesSource(randomBytes(1000)))),
  );
  expect(receipts.every(({ outcome }) => outcome === 'uploaded')).toBe(true);
  const { journal } = rig.emulator;
  return {
    throttledCount: journal.count({ exception: 'ThrottlingException' }),
    initiateCount: journal.count({ operation: 'InitiateLayerUpload' }),
  };
}

test('many small layers keep to the rates that are set, and no call is throttled', async () => {
  const rates = { InitiateLayerUpload: 16, UploadLayerPart: 80, CompleteLayerUpload: 16 };
  expect(await throttledOf(rates)).toEqual({ throttledCount: 0, initiateCount: LAYER_COUNT });
});

test('without a rate the same layers are throttled', async () => {
  const rates = { InitiateLayerUpload: Infinity, CompleteLayerUpload: Infinity };
  const { throttledCount } = await throttledOf(rates);
  expect(throttledCount).toBeGreaterThan(0);
});

test('an abort, and the end of the uploader, end the wait for a rate', async () => {
  await using rig = await startRig({
    uploader: { callsPerSecondMax: { InitiateLayerUpload: 0.1 } },
  });
  await rig.upload(bytesSource(randomBytes(1000)));
  const abort = new AbortController();
  const aborted = rig.upload(bytesSource(randomBytes(1000)), {
    signal: abort.signal,
    onEvent: ({ type }) => {
      if (type === 'layer-hashed') setImmediate(() => abort.abort(new Error('enough')));
    },
  });
  await expect(aborted).rejects.toThrow('enough');
  const destroyed = rig.upload(bytesSource(randomBytes(1000)), {
    onEvent: ({ type }) => {
      if (type === 'layer-hashed') setImmediate(() => void rig.uploader.destroy());
    },
  });
  await expect(destroyed).rejects.toMatchObject({ code: 'E_CLOSED' });
  await rig.uploader.close();
  expect(rig.emulator.journal.count({ operation: 'InitiateLayerUpload' })).toBe(1);
});
