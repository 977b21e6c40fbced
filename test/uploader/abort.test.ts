import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource, fileSource, LongshoreError, streamSource } from '../../src/index.ts';
import type { LayerEvent, LayerSource } from '../../src/index.ts';
import { GIB, MIB } from '../../src/limits.ts';
import { callCounts, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';
import type { RigOptions, UploadRig } from './upload-rig.ts';

const bytes = layerBytes(11 * MIB);
const source = bytesSource(bytes, { digest: digestOf(bytes) });
/** An abort is answered within this time, clean-up included. */
const ANSWER_MS_MAX = 1000;

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Aborts when `isTime` says so, of the rig or of an event; then nothing may be sent any more. */
async function expectAbort(
  options: RigOptions,
  layer: LayerSource,
  isTime: (rig: UploadRig, event: LayerEvent | undefined) => boolean,
): Promise<UploadRig['emulator']> {
  await using rig = await startRig(options);
  const abort = new AbortController();
  const reason = new Error('the user changed her mind');
  const events: LayerEvent[] = [];
  let abortedAtMs = 0;
  let callCount = 0;
  const abortIfTime = (event: LayerEvent | undefined): void => {
    if (abort.signal.aborted || !isTime(rig, event)) return;
    abortedAtMs = performance.now();
    callCount = rig.emulator.journal.count();
    abort.abort(reason);
  };
  const upload = reasonOf(
    rig.upload(layer, {
      signal: abort.signal,
      onEvent: (event) => {
        events.push(event);
        abortIfTime(event);
      },
    }),
  );
  while (!abort.signal.aborted) {
    abortIfTime(undefined);
    await turn();
  }
  expect(await upload).toBe(reason);
  await rig.uploader.close();
  expect(performance.now() - abortedAtMs).toBeLessThan(ANSWER_MS_MAX);
  expect(rig.emulator.journal.count()).toBe(callCount);
  expect(callCounts(rig.emulator)['CompleteLayerUpload'] ?? 0).toBeLessThanOrEqual(1);
  expect(events.at(-1)).toMatchObject({ type: 'layer-failed', code: 'ABORTED' });
  expect(rig.uploader.snapshot()).toMatchObject({ layers: [], failedLayerCount: 1 });
  return rig.emulator;
}

describe('an abort', () => {
  test.each([
    { name: 'an error', reason: new Error('stop') },
    { name: 'a text', reason: 'stop' },
    { name: 'an error of the same class', reason: new LongshoreError('E_CLOSED', 'stop', {}) },
    { name: 'the default', reason: undefined },
  ])('before the upload rejects with its reason, without a call: $name', async ({ reason }) => {
    await using rig = await startRig();
    const signal = AbortSignal.abort(reason);
    const events: LayerEvent[] = [];
    const upload = rig.upload(source, { signal, onEvent: (event) => void events.push(event) });
    expect(await reasonOf(upload)).toBe(signal.reason);
    expect(events).toEqual([]);
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test('while a file is hashed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const path = join(folder, 'sparse.tar');
      writeFileSync(path, '');
      truncateSync(path, 16 * GIB);
      const emulator = await expectAbort({}, fileSource(path), (rig) => {
        return (rig.uploader.snapshot().layers[0]?.hashedBytes ?? 0) > 0;
      });
      expect(callCounts(emulator)).toEqual({});
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('while bytes are hashed', async () => {
    const emulator = await expectAbort({}, bytesSource(layerBytes(64 * MIB)), (rig) => {
      return (rig.uploader.snapshot().layers[0]?.hashedBytes ?? 0) > 0;
    });
    expect(callCounts(emulator)).toEqual({});
  });

  test('while a check waits for its reply', async () => {
    await expectAbort(
      { faults: [{ operation: 'BatchCheckLayerAvailability', action: { kind: 'stall' } }] },
      source,
      ({ emulator }) =>
        emulator.journal.entries().some((entry) => entry.receivedAtMs !== undefined),
    );
  });

  test.each([1, 3])('when a part was acknowledged, with %i parts in flight', async (window) => {
    await using rig = await startRig({ uploader: { partsInFlight: window } });
    const abort = new AbortController();
    const reason = new Error('enough');
    const upload = rig.upload(source, {
      signal: abort.signal,
      onEvent: ({ type }) => void (type === 'part-acknowledged' && abort.abort(reason)),
    });
    expect(await reasonOf(upload)).toBe(reason);
    await rig.uploader.close();
    // The event comes a turn after the next part was let go; tails that were held back behind it never left.
    expect(rig.emulator.uploads()).toHaveLength(1);
    expect([5 * MIB, 10 * MIB]).toContain(rig.emulator.uploads()[0]?.nextByte);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('while a part waits for its reply, and others are held back', async () => {
    await expectAbort(
      { faults: [{ operation: 'UploadLayerPart', times: 9, action: { kind: 'stall' } }] },
      source,
      ({ emulator }) =>
        emulator.journal.count({ operation: 'UploadLayerPart' }) === 3 &&
        emulator.journal
          .entries({ operation: 'UploadLayerPart' })
          .some((entry) => entry.receivedAtMs !== undefined),
    );
  });

  test.each([
    'BatchCheckLayerAvailability',
    'InitiateLayerUpload',
    'UploadLayerPart',
    'CompleteLayerUpload',
  ] as const)('during the back-off of %s', async (operation) => {
    await expectAbort(
      {
        uploader: { retryDelayMs: 60_000, retryDelayMsMax: 600_000, partsInFlight: 1 },
        faults: [{ operation, times: 99, action: { kind: 'throttle' } }],
      },
      source,
      (_rig, event) => event?.type === 'call-retried',
    );
  });

  test('while Complete waits for its reply', async () => {
    await expectAbort(
      { faults: [{ operation: 'CompleteLayerUpload', action: { kind: 'stall' } }] },
      source,
      ({ emulator }) => emulator.journal.count({ operation: 'CompleteLayerUpload' }) === 1,
    );
  });

  test('while a stream gives nothing', async () => {
    const stream = new ReadableStream<Uint8Array>();
    await expectAbort({}, streamSource(stream), ({ emulator }) => {
      return emulator.journal.count({ operation: 'InitiateLayerUpload', statusCode: 200 }) === 1;
    });
  });

  test('while a stream gives nothing, and its function has not even made it', async () => {
    await using rig = await startRig();
    const abort = new AbortController();
    const never = new Promise<never>(() => undefined);
    const upload = rig.upload(
      streamSource(() => never),
      { signal: abort.signal },
    );
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await reasonOf(upload)).toBe(reason);
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test('while the layer waits for its turn: the others go on', async () => {
    await using rig = await startRig({ uploader: { layersInFlight: 1 } });
    const abort = new AbortController();
    const other = layerBytes(2000, 2);
    const first = rig.upload(bytesSource(bytes));
    const second = reasonOf(rig.upload(bytesSource(layerBytes(100)), { signal: abort.signal }));
    const third = rig.upload(bytesSource(other));
    const reason = new Error('no turn');
    abort.abort(reason);
    expect(await second).toBe(reason);
    expect(await Promise.all([first, third])).toMatchObject([
      { digest: digestOf(bytes) },
      { digest: digestOf(other) },
    ]);
    expect(rig.emulator.layers('team/app')).toHaveLength(2);
  });

  test('after the end changes nothing, and leaves no listener', async () => {
    await using rig = await startRig();
    const abort = new AbortController();
    const added: string[] = [];
    const removed: string[] = [];
    const signal = abort.signal;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      added.push(given[0]);
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      removed.push(given[0]);
      remove(...given);
    };
    await rig.upload(bytesSource(layerBytes(100)), { signal });
    await turn();
    expect(added).toEqual(['abort']);
    expect(removed).toContain('abort');
    abort.abort();
  });
});
