import { describe, expect, test } from 'vitest';
import { bytesSource, fileSource } from '../../src/index.ts';
import type { LayerEvent, LayerSnapshot } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectFailure, expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { runUploadProgram } from './upload-program.ts';
import { REPOSITORY, startRig } from './upload-rig.ts';

const bytes = layerBytes(10 * MIB + 9);
const source = bytesSource(bytes, { label: 'ten' });

describe('events', () => {
  test('tell the story of a layer in order, frozen and with its name', async () => {
    const events: LayerEvent[] = [];
    await using rig = await startRig();
    const receipt = await rig.upload(source, { onEvent: (event) => void events.push(event) });
    expect(events.map(({ type }) => type)).toEqual([
      'layer-started',
      'layer-hashed',
      'upload-initiated',
      'part-acknowledged',
      'part-acknowledged',
      'part-acknowledged',
      'layer-completed',
    ]);
    expect(events).toMatchObject([
      { sizeBytes: bytes.length },
      { digest: digestOf(bytes) },
      { partSizeBytes: 5 * MIB, partCount: 3 },
      { partIndex: 0, firstByte: 0, endByte: 5 * MIB, attemptCount: 1 },
      { partIndex: 1, firstByte: 5 * MIB, endByte: 10 * MIB, attemptCount: 1 },
      { partIndex: 2, firstByte: 10 * MIB, endByte: bytes.length, attemptCount: 1 },
      { receipt },
    ]);
    for (const event of events) {
      expect(Object.isFrozen(event)).toBe(true);
      expect(event).toMatchObject({ repository: REPOSITORY, source: 'ten', layerId: 1 });
    }
  });

  test('are few for a layer that is there already', async () => {
    const types: string[] = [];
    await using rig = await startRig();
    await rig.upload(source);
    await rig.upload(source, { onEvent: ({ type }) => void types.push(type) });
    expect(types).toEqual(['layer-started', 'layer-hashed', 'layer-completed']);
  });

  test('end with the failure, and say its code', async () => {
    const events: LayerEvent[] = [];
    await using rig = await startRig();
    const upload = rig.upload(fileSource('/no/such/file'), {
      onEvent: (event) => void events.push(event),
    });
    const { message } = await expectFailure(upload, 'E_SOURCE_UNREADABLE');
    expect(events).toMatchObject([{ type: 'layer-failed', code: 'E_SOURCE_UNREADABLE', message }]);
  });

  test('count the attempts of a part, and give each upload a number of its own', async () => {
    const events: LayerEvent[] = [];
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          match: { firstByte: 0 },
          action: { kind: 'fail', exception: 'ServerException', httpStatus: 500 },
        },
      ],
    });
    const onEvent = (event: LayerEvent): void => void events.push(event);
    await Promise.all([
      rig.upload(source, { onEvent }),
      rig.upload(bytesSource(layerBytes(10, 2)), { onEvent }),
    ]);
    expect(new Set(events.map(({ layerId }) => layerId))).toEqual(new Set([1, 2]));
    const attempts = events.filter((event) => event.type === 'part-acknowledged');
    expect(attempts.some(({ attemptCount }) => attemptCount === 2)).toBe(true);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'call-retried',
        operation: 'UploadLayerPart',
        partIndex: 0,
        attempt: 1,
        code: 'E_REGISTRY_FAULT',
      }),
    );
  });

  test('whose listener throws are reported once by a warning, and the upload goes on', async () => {
    await using rig = await startRig();
    const { receipt, stderr } = await runUploadProgram({
      ...rig.emulator.environment(),
      ON_EVENT_THROWS: 'yes',
    });
    expect(receipt).toMatchObject({ outcome: 'uploaded' });
    expect(stderr.match(/LongshoreWarning/g)).toHaveLength(1);
    expect(stderr).toMatch(/onEvent threw.*no interest in layer-started/);
  });
});

describe('a snapshot', () => {
  test('never goes back while a layer is sent, and ends with nothing under way', async () => {
    await using rig = await startRig({ uploader: { partsInFlight: 3 } });
    const upload = rig.upload(source);
    const seen: LayerSnapshot[] = [];
    for (;;) {
      const { layers } = rig.uploader.snapshot();
      if (layers.length === 0) break;
      const last = JSON.stringify(seen.at(-1));
      seen.push(...layers.filter((layer) => JSON.stringify(layer) !== last));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await upload;
    const order = ['waiting', 'hashing', 'checking', 'sending', 'completing'];
    for (const [index, now] of seen.entries()) {
      const before = seen[index - 1] ?? now;
      expect(order.indexOf(now.state)).toBeGreaterThanOrEqual(order.indexOf(before.state));
      expect(now.hashedBytes).toBeGreaterThanOrEqual(before.hashedBytes);
      expect(now.acceptedBytes).toBeGreaterThanOrEqual(before.acceptedBytes);
      expect(now.wiredBytes).toBeGreaterThanOrEqual(before.wiredBytes);
      expect(now.wiredBytes).toBeGreaterThanOrEqual(now.acceptedBytes);
      expect(now.wiredBytes).toBeLessThanOrEqual(bytes.length);
      expect(now.partsInFlight).toBeLessThanOrEqual(3);
    }
    expect(new Set(seen.map(({ state }) => state))).toContain('sending');
    expect(seen.some(({ wiredBytes, acceptedBytes }) => wiredBytes > acceptedBytes)).toBe(true);
    expect(rig.uploader.snapshot()).toMatchObject({
      layers: [],
      uploadedLayerCount: 1,
      presentLayerCount: 0,
      failedLayerCount: 0,
      acceptedBytes: bytes.length,
      resentBytes: 0,
    });
  });

  test('counts what was sent again', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          match: { firstByte: 10 * MIB },
          action: { kind: 'lose-reply' },
        },
      ],
    });
    await rig.upload(source);
    await rig.upload(source);
    expect(rig.uploader.snapshot()).toMatchObject({
      uploadedLayerCount: 1,
      presentLayerCount: 1,
      acceptedBytes: bytes.length,
      resentBytes: 9,
    });
    await expectStored(rig.emulator, bytes);
  });
});
