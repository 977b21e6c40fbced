import { describe, expect, test } from 'vitest';
import { CALL_MS_MAX, withinTime } from '../../src/ecr/call-deadline.ts';
import { bytesSource, streamSource } from '../../src/index.ts';
import type { LayerEvent, LayerSource } from '../../src/index.ts';
import { TransmissionError } from '../../src/layer/part-transmitter.ts';
import { MIB } from '../../src/limits.ts';
import { expectFailure, expectStored, reasonOf } from './expectation.ts';
import { startRelay } from './fault-relay.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig } from './upload-rig.ts';

type Stall = Extract<LayerEvent, { readonly type: 'layer-stalled' }>;

const bytes = layerBytes(6 * MIB);
const source = bytesSource(bytes, { digest: digestOf(bytes), label: 'six' });

/** What was told of stalls, as `part waitingFor action`. */
function stallLog(): {
  onEvent: (event: LayerEvent) => void;
  stalls: Stall[];
  texts: () => string[];
} {
  const stalls: Stall[] = [];
  return {
    onEvent: (event) => void (event.type === 'layer-stalled' && stalls.push(event)),
    stalls,
    texts: () =>
      stalls.map(({ partIndex, operation, waitingFor, action }) =>
        [partIndex ?? operation ?? '-', waitingFor, action].join(' '),
      ),
  };
}

describe('a stall is told of with its name, before and when something is done about it', () => {
  test('a reply that does not come', async () => {
    await using rig = await startRig({
      uploader: { replyTimeoutMs: 500, partsInFlight: 1 },
      faults: [{ operation: 'UploadLayerPart', action: { kind: 'stall' } }],
    });
    const log = stallLog();
    await rig.upload(source, log);
    expect(log.texts().slice(0, 2)).toEqual(['0 reply none', '0 reply new-connection']);
    expect(log.stalls[0]).toMatchObject({ repository: REPOSITORY, source: 'six', layerId: 1 });
    expect(log.stalls[0]?.waitedMs).toBeGreaterThanOrEqual(250);
    expect(log.stalls[1]?.waitedMs).toBe(500);
    await expectStored(rig.emulator, bytes);
  });

  test('a reply that never comes: the upload is given up', async () => {
    await using rig = await startRig({
      uploader: { replyTimeoutMs: 200, partsInFlight: 1, attemptsMax: 2 },
      faults: [{ operation: 'UploadLayerPart', times: 9, action: { kind: 'stall' } }],
    });
    const log = stallLog();
    await expectFailure(rig.upload(source, log), 'E_TIMEOUT');
    expect(log.texts()).toContain('0 reply new-connection');
    expect(log.texts().at(-1)).toBe('0 reply failed');
  });

  test('a socket that takes nothing: a new connection, and a narrower window', async () => {
    await using rig = await startRig();
    await using relay = await startRelay(rig.emulator.endpoint, {
      kind: 'stall',
      afterBytes: 1000,
      times: 1,
    });
    const large = layerBytes(20 * MIB, 3);
    await using slow = await startRig({
      uploader: {
        endpoint: relay.endpoint,
        region: rig.emulator.region,
        client: { credentials: rig.emulator.credentials },
        stallTimeoutMs: 1500,
        partSizeBytes: 20 * MIB,
      },
    });
    const log = stallLog();
    const windows: number[] = [];
    await slow.upload(bytesSource(large), {
      onEvent: (event) => {
        log.onEvent(event);
        if (event.type === 'window-changed') windows.push(event.partsInFlight);
      },
    });
    expect(log.texts()).toContain('0 socket none');
    expect(log.texts()).toContain('0 socket new-connection');
    expect(windows).toEqual([3]);
    await expectStored(rig.emulator, large);
  });

  test('a call without a part', async () => {
    await using rig = await startRig({
      uploader: { replyTimeoutMs: 400 },
      faults: [{ operation: 'CompleteLayerUpload', action: { kind: 'stall' } }],
    });
    const log = stallLog();
    await rig.upload(source, log);
    expect(log.texts()).toEqual([
      'CompleteLayerUpload call none',
      'CompleteLayerUpload call new-connection',
    ]);
  });

  test('a source that gives nothing ends in E_SOURCE_UNREADABLE', async () => {
    await using rig = await startRig({
      uploader: { stallTimeoutMs: 200, sourceTimeoutMs: 500 },
    });
    const log = stallLog();
    const silent = streamSource(new ReadableStream<Uint8Array>());
    const error = await expectFailure(rig.upload(silent, log), 'E_SOURCE_UNREADABLE');
    expect(error.message).toMatch(/gave nothing for 500 ms.*sourceTimeoutMs/);
    expect(error.details.systemCode).toBe('ETIMEDOUT');
    expect(log.texts()[0]).toBe('0 source none');
    expect(log.texts().at(-1)).toBe('- source failed');
  });

  test('but not a source that gives little, again and again', async () => {
    await using rig = await startRig({
      uploader: { stallTimeoutMs: 2000, sourceTimeoutMs: 1000 },
    });
    const log = stallLog();
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 1500; at += 100) {
        yield bytes.subarray(at, at + 100);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await rig.upload(streamSource(slowly()), log);
    expect(log.texts()).toEqual([]);
    await expectStored(rig.emulator, bytes.subarray(0, 1500));
  });
});

describe('a source that hears no abort', () => {
  const deaf = (name: string): LayerSource => ({
    label: name,
    open: () =>
      Promise.resolve({
        sizeBytes: undefined,
        rereadable: false,
        cheapToReread: false,
        read: () => new Promise<never>(() => undefined),
        assertUnchanged: () => Promise.resolve(),
        close: () => Promise.resolve(),
      }),
  });

  test('keeps neither the upload nor the uploader waiting', async () => {
    await using rig = await startRig({ uploader: { sourceTimeoutMs: 200 } });
    await expectFailure(rig.upload(deaf('deaf')), 'E_SOURCE_UNREADABLE');
    const abort = new AbortController();
    const reason = new Error('enough');
    const upload = reasonOf(rig.upload(deaf('deafer'), { signal: abort.signal }));
    abort.abort(reason);
    expect(await upload).toBe(reason);
    await rig.uploader.close();
    expect(rig.uploader.snapshot().layers).toEqual([]);
  });

  test('and is never opened is given up as well', async () => {
    await using rig = await startRig({ uploader: { sourceTimeoutMs: 200 } });
    const never: LayerSource = { label: 'never', open: () => new Promise(() => undefined) };
    await expectFailure(rig.upload(never), 'E_SOURCE_UNREADABLE');
  });
});

describe('credentials that do not come', () => {
  test('keep neither an aborted upload nor the uploader waiting', async () => {
    const never = new Promise<never>(() => undefined);
    await using rig = await startRig({ uploader: { client: { credentials: () => never } } });
    const upload = reasonOf(rig.upload(source));
    const reason = new Error('enough');
    await rig.uploader.destroy(reason);
    expect(await upload).toBe(reason);
  });

  test('are waited for no longer than the bound', async () => {
    const never = new Promise<never>(() => undefined);
    const { signal } = new AbortController();
    const error = await reasonOf(withinTime(never, undefined, signal, 20));
    expect(error).toBeInstanceOf(TransmissionError);
    expect(error).toMatchObject({ kind: 'timeout', waitedMs: 20 });
    expect(CALL_MS_MAX).toBeLessThanOrEqual(600_000);
  });

  test('have no bound any more once the request is in the hands of a worker', async () => {
    let answer: (value: string) => void = () => undefined;
    const call = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const abort = new AbortController();
    const waiting = withinTime(call, Promise.resolve(), abort.signal, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The worker hears the abort by itself, and must be done with the bytes first.
    abort.abort();
    answer('sent');
    expect(await waiting).toBe('sent');
  });
});
