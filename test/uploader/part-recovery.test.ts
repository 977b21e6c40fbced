import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultAction, FaultRule } from '../../src/emulator/index.ts';
import { bytesSource, streamSource } from '../../src/index.ts';
import type { LayerEvent, LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectPartsInOrder, expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { makeRepository, startRig } from './upload-rig.ts';
import type { UploadRig } from './upload-rig.ts';

/** Two parts and three, the last one short. */
const two = layerBytes(5 * MIB + 7);
const three = layerBytes(10 * MIB + 7);

/** Its digest is known: only the parts matter here. */
function sourceOf(content: Buffer): LayerSource {
  return bytesSource(content, { digest: digestOf(content) });
}

interface Row {
  readonly name: string;
  readonly action: FaultAction;
  /** Refusals that tell what has landed. */
  readonly refusals?: number;
}

const ROWS: readonly Row[] = [
  { name: 'a reply lost after the commit', action: { kind: 'lose-reply' }, refusals: 1 },
  { name: 'a connection cut after 1,000 bytes', action: { kind: 'cut-body', afterBytes: 1000 } },
  { name: 'a connection cut after 3 MB', action: { kind: 'cut-body', afterBytes: 3e6 } },
  { name: 'a reset before the body', action: { kind: 'reset' } },
  { name: 'a lastByteReceived one short', action: garbage('wrong-last-byte'), refusals: 1 },
  { name: 'a reply that is not JSON', action: garbage('not-json'), refusals: 1 },
  { name: 'a reply that is cut', action: garbage('cut-json'), refusals: 1 },
  { name: 'an HTML page with 502', action: { kind: 'garbage', form: 'html', httpStatus: 502 } },
  { name: 'an HTML page with 503', action: { kind: 'garbage', form: 'html', httpStatus: 503 } },
  { name: 'an HTML page with 504', action: { kind: 'garbage', form: 'html', httpStatus: 504 } },
  { name: 'an HTML page with 408', action: { kind: 'garbage', form: 'html', httpStatus: 408 } },
  { name: 'a reply that never comes', action: { kind: 'stall' } },
  {
    name: 'a ServerException that did nothing',
    action: { kind: 'fail', exception: 'ServerException', httpStatus: 500 },
  },
  {
    name: 'a ServerException after the commit',
    action: { kind: 'fail', exception: 'ServerException', httpStatus: 500, committed: true },
    refusals: 1,
  },
  { name: 'a ThrottlingException', action: { kind: 'throttle' } },
  { name: 'a slow reply', action: { kind: 'delay', delayMs: 20 } },
  { name: 'a dripping reply', action: { kind: 'drip', bytesPerSecond: 4000 } },
];

function garbage(form: 'wrong-last-byte' | 'not-json' | 'cut-json'): FaultAction {
  return { kind: 'garbage', form };
}

describe.each([
  { window: 1, nth: 1, content: two, partCount: 2 },
  { window: 3, nth: 2, content: three, partCount: 3 },
])('with $window parts in flight, a layer arrives whole in spite of', (setting) => {
  const { window, nth, content, partCount } = setting;
  // One uploader for all of them: what it learns from a fault must not spoil the next layer.
  let rig: UploadRig;
  let repository = '';
  let lastRepository = 0;

  beforeAll(async () => {
    rig = await startRig({ uploader: { partsInFlight: window, replyTimeoutMs: 1000 } });
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  beforeEach(async () => {
    lastRepository += 1;
    repository = `team/app-${lastRepository}`;
    rig.emulator.clearFaults();
    await makeRepository(rig.emulator, repository);
    rig.emulator.journal.clear();
  });

  async function upload(layer: Buffer, ...faults: readonly Omit<FaultRule, 'operation'>[]) {
    rig.emulator.addFaults(faults.map((fault) => ({ ...fault, operation: 'UploadLayerPart' })));
    const events: LayerEvent[] = [];
    const receipt = await rig.uploader.uploadLayer(
      { repository, source: sourceOf(layer), checkFirst: false },
      { onEvent: (event) => void events.push(event) },
    );
    await expectStored(rig.emulator, layer, repository);
    expectPartsInOrder(rig.emulator);
    return { receipt, events };
  }

  test.each(ROWS)('$name', async ({ action, refusals = 0 }) => {
    const { receipt } = await upload(content, { nth, action });
    expect(receipt).toMatchObject({ outcome: 'uploaded', partCount });
    expect(callCounts(rig.emulator)).toMatchObject({
      InitiateLayerUpload: 1,
      CompleteLayerUpload: 1,
    });
    expect(rig.emulator.journal.count({ exception: 'InvalidLayerPartException' })).toBe(refusals);
  });

  test('the same fault on every part, each in turn', async () => {
    const { receipt } = await upload(
      three,
      ...[0, 5 * MIB, 10 * MIB].map((firstByte) => ({
        match: { firstByte },
        action: { kind: 'lose-reply' } as const,
      })),
    );
    expect(receipt.sentBytes).toBeGreaterThanOrEqual(2 * three.length);
    expect(rig.emulator.journal.count({ exception: 'InvalidLayerPartException' })).toBe(3);
  });

  test('an upload id that is forgotten mid-layer', async () => {
    const { events } = await upload(three, {
      match: { firstByte: 5 * MIB },
      action: { kind: 'forget-upload' },
    });
    expect(events.filter(({ type }) => type === 'layer-restarted')).toMatchObject([
      { code: 'E_UPLOAD_LOST' },
    ]);
    expect(callCounts(rig.emulator)).toMatchObject({
      InitiateLayerUpload: 2,
      CompleteLayerUpload: 1,
    });
  });

  test('a registry that lost parts it had acknowledged', async () => {
    const { events } = await upload(three, {
      match: { firstByte: 10 * MIB },
      action: {
        kind: 'fail',
        exception: 'InvalidLayerPartException',
        message: `First byte of the layer part is ${10 * MIB} instead of ${5 * MIB}`,
        members: { lastValidByteReceived: 5 * MIB - 1 },
      },
    });
    expect(events.filter(({ type }) => type === 'layer-restarted')).toMatchObject([
      { code: 'E_PART_REJECTED' },
    ]);
  });
});

describe('a layer that is lost for good', () => {
  test('ends in E_UPLOAD_LOST when it is a stream', async () => {
    await using rig = await startRig({
      faults: [{ operation: 'UploadLayerPart', nth: 2, action: { kind: 'forget-upload' } }],
    });
    const error = await expectFailure(
      rig.upload(streamSource(new Blob([two]).stream())),
      'E_UPLOAD_LOST',
    );
    expect(error.details).toMatchObject({ operation: 'UploadLayerPart' });
    expect(callCounts(rig.emulator)).toMatchObject({ InitiateLayerUpload: 1 });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('ends in E_UPLOAD_LOST when it is forgotten twice', async () => {
    await using rig = await startRig({
      faults: [
        {
          operation: 'UploadLayerPart',
          match: { firstByte: 5 * MIB },
          times: 9,
          action: { kind: 'forget-upload' },
        },
      ],
    });
    await expectFailure(rig.upload(sourceOf(two)), 'E_UPLOAD_LOST');
    expect(callCounts(rig.emulator)).toMatchObject({ InitiateLayerUpload: 2 });
  });
});
