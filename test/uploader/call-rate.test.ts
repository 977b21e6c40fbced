import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/index.ts';
import { startRig, type UploadRig } from './upload-rig.ts';

/** ECR's quotas, a fifth of them. */
const QUOTAS = {
  InitiateLayerUpload: { perSecond: 20 },
  UploadLayerPart: { perSecond: 100 },
  CompleteLayerUpload: { perSecond: 20 },
};
const LAYER_COUNT = 30;

function uploadLayers(rig: UploadRig): Promise<PromiseSettledResult<unknown>[]> {
  const sources = Array.from({ length: LAYER_COUNT }, () => bytesSource(randomBytes(1000)));
  return Promise.allSettled(sources.map((source) => rig.upload(source)));
}

test('many small layers keep to the rates that are set, and no call is throttled', async () => {
  // Half of the quotas, so that a machine that stands still for a moment does not bunch calls.
  const callsPerSecondMax = {
    InitiateLayerUpload: 10,
    UploadLayerPart: 50,
    CompleteLayerUpload: 10,
  };
  await using rig = await startRig({
    emulator: { quotas: QUOTAS },
    uploader: { callsPerSecondMax, layersInFlight: LAYER_COUNT },
  });
  const results = await uploadLayers(rig);
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
  const { journal } = rig.emulator;
  expect(journal.count({ exception: 'ThrottlingException' })).toBe(0);
  expect(journal.count({ operation: 'InitiateLayerUpload' })).toBe(LAYER_COUNT);
});

test('without a rate, what goes beyond the quota is throttled', async () => {
  // A clock that stands still: no bucket of the emulator's fills again.
  const nowMs = Date.now();
  await using rig = await startRig({
    emulator: { quotas: QUOTAS, clock: () => nowMs },
    uploader: {
      callsPerSecondMax: { InitiateLayerUpload: Infinity, CompleteLayerUpload: Infinity },
      layersInFlight: LAYER_COUNT,
    },
  });
  const results = await uploadLayers(rig);
  const refused = results.filter(
    (result) =>
      result.status === 'rejected' &&
      (result.reason as { readonly code?: unknown }).code === 'E_THROTTLED',
  );
  expect(refused).toHaveLength(LAYER_COUNT - QUOTAS.InitiateLayerUpload.perSecond);
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
