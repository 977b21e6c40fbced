import { describe, expect, test } from 'vitest';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { faultOf } from './model-registry.ts';

const RANGE = { firstByte: 10, endByte: 25 };
const NAME = { repository: 'team/app', source: 'the layer', layerId: 1 };

withClock();

describe('the progress of a layer', () => {
  test('begins with nothing', () => {
    const { progress } = layerRig();
    expect(progress.snapshot()).toEqual({
      ...NAME,
      state: 'waiting',
      digest: undefined,
      sizeBytes: undefined,
      hashedBytes: 0,
      acceptedBytes: 0,
      wiredBytes: 0,
      partsInFlight: 0,
    });
    expect(progress.movements).toEqual([]);
  });

  test('counts acknowledged bytes, of the layer and of all', () => {
    const { progress, totals, events } = layerRig();
    totals.acceptedBytes = 100;
    progress.partAcknowledged(1, RANGE, 2, 30);
    progress.partAcknowledged(2, { firstByte: 25, endByte: 26 }, 1, 40);
    expect(progress.snapshot().acceptedBytes).toBe(16);
    expect(totals).toEqual({ acceptedBytes: 116, resentBytes: 0 });
    expect(events[0]).toEqual({
      ...NAME,
      type: 'part-acknowledged',
      partIndex: 1,
      firstByte: 10,
      endByte: 25,
      attemptCount: 2,
      durationMs: 30,
    });
  });

  test('shows the bytes that a worker has hashed', () => {
    const { progress } = layerRig();
    new Float64Array(progress.hashedCounter)[0] = 7;
    expect(progress.snapshot().hashedBytes).toBe(7);
  });

  test('shows what is on the wire, and never less than what is acknowledged', () => {
    const { progress } = layerRig();
    progress.partAcknowledged(0, RANGE, 1, 1);
    let wiredBytes = 20;
    progress.gauge = {
      get onWire() {
        return { partsInFlight: 3, wiredBytes };
      },
      movements: [{ key: 'part 1', waitingFor: 'socket', mark: '' }],
    };
    expect(progress.snapshot()).toMatchObject({ partsInFlight: 3, wiredBytes: 20 });
    wiredBytes = 3;
    expect(progress.snapshot()).toMatchObject({ partsInFlight: 3, wiredBytes: 15 });
  });

  test('tells of a window and of bytes that were sent again', () => {
    const { progress, totals, events } = layerRig();
    progress.windowChanged(5);
    progress.resent(3);
    progress.resent(4);
    expect(events).toEqual([{ ...NAME, type: 'window-changed', partsInFlight: 5 }]);
    expect(totals.resentBytes).toBe(7);
  });
});

describe('a layer that starts again', () => {
  test('has sent all it had for nothing, and nothing is on the wire', () => {
    const { progress, totals } = layerRig();
    progress.partAcknowledged(0, RANGE, 1, 1);
    progress.gauge = { onWire: { partsInFlight: 3, wiredBytes: 20 }, movements: [] };
    progress.restarted();
    expect(totals).toEqual({ acceptedBytes: 15, resentBytes: 15 });
    expect(progress.snapshot()).toMatchObject({
      acceptedBytes: 0,
      wiredBytes: 0,
      partsInFlight: 0,
    });
    progress.restarted();
    expect(totals.resentBytes).toBe(15);
  });

  test('has sent for nothing only what an earlier process did not send', () => {
    const { progress, totals, events } = layerRig();
    progress.resumed('one', 10);
    expect(events).toEqual([{ ...NAME, type: 'layer-resumed', uploadId: 'one', resumedBytes: 10 }]);
    expect(progress.snapshot().acceptedBytes).toBe(10);
    progress.partAcknowledged(1, RANGE, 1, 1);
    progress.restarted();
    expect(totals).toEqual({ acceptedBytes: 15, resentBytes: 15 });
    progress.partAcknowledged(0, RANGE, 1, 1);
    progress.restarted();
    expect(totals.resentBytes).toBe(30);
  });
});

describe('what a layer waits for', () => {
  test('is seen as long as it is waited for, also if it fails, each wait with its own key', async () => {
    const { progress } = layerRig();
    const first = progress.during('source', undefined, async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error('broken');
    });
    const second = progress.during('call', 'InitiateLayerUpload', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'done';
    });
    expect(progress.movements).toStrictEqual([
      { key: 'wait 1', waitingFor: 'source', mark: '0 0' },
      { key: 'wait 2', waitingFor: 'call', operation: 'InitiateLayerUpload', mark: '0 0' },
    ]);
    await failureOf(first);
    expect(progress.movements.map(({ key }) => key)).toEqual(['wait 2']);
    expect(await finish(second)).toBe('done');
    expect(progress.movements).toEqual([]);
  });

  test('moves when bytes are hashed or a call is repeated', async () => {
    const { progress } = layerRig();
    const wait = progress.during(
      'preparation',
      undefined,
      () => new Promise((resolve) => setTimeout(resolve, 10)),
    );
    new Float64Array(progress.hashedCounter)[0] = 7;
    progress.callRetried('InitiateLayerUpload', faultOf('throttled', 'E_THROTTLED'), 1, 5);
    expect(progress.movements).toEqual([{ key: 'wait 1', waitingFor: 'preparation', mark: '1 7' }]);
    await finish(wait);
  });

  test('is told of in whole milliseconds, with the part or the call that it is about', () => {
    const { progress, events } = layerRig();
    progress.stalled({ waitingFor: 'reply', partIndex: 0 }, 12.6, 'none');
    progress.stalled({ waitingFor: 'call', operation: 'InitiateLayerUpload' }, 12.4, 'failed');
    expect(events).toStrictEqual([
      {
        ...NAME,
        type: 'layer-stalled',
        partIndex: 0,
        waitingFor: 'reply',
        waitedMs: 13,
        action: 'none',
      },
      {
        ...NAME,
        type: 'layer-stalled',
        operation: 'InitiateLayerUpload',
        waitingFor: 'call',
        waitedMs: 12,
        action: 'failed',
      },
    ]);
  });
});

describe('a call that is repeated', () => {
  test('is told of with its part, where it carries one', () => {
    const { progress, events } = layerRig();
    const fault = faultOf('throttled', 'E_THROTTLED');
    progress.callRetried('UploadLayerPart', fault, 2, 5, 0);
    progress.callRetried('InitiateLayerUpload', fault, 1, 6);
    const what = { code: 'E_THROTTLED', message: 'E_THROTTLED by the test' };
    expect(events).toStrictEqual([
      {
        ...NAME,
        type: 'call-retried',
        operation: 'UploadLayerPart',
        partIndex: 0,
        attempt: 2,
        delayMs: 5,
        ...what,
      },
      {
        ...NAME,
        type: 'call-retried',
        operation: 'InitiateLayerUpload',
        attempt: 1,
        delayMs: 6,
        ...what,
      },
    ]);
  });

  test('for nothing came in time is told of as a stall too', () => {
    const rig = layerRig();
    const { progress } = rig;
    const fault = faultOf('ambiguous', 'E_TIMEOUT', {}, { waitedMs: 90 });
    progress.callRetried('UploadLayerPart', fault, 1, 5, 0, 'socket');
    progress.callRetried('InitiateLayerUpload', fault, 1, 5);
    const stall = { ...NAME, type: 'layer-stalled', waitedMs: 90, action: 'new-connection' };
    expect(rig.eventsOf('layer-stalled')).toEqual([
      { ...stall, partIndex: 0, waitingFor: 'socket' },
      { ...stall, operation: 'InitiateLayerUpload', waitingFor: 'call' },
    ]);
  });
});
