import { describe, expect, test } from 'vitest';
import { LAYER_SIZE_MAX_BYTES, MIB } from '../../src/limits.ts';
import { expectAllGivenBack, failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { ModelJournals } from './model-journals.ts';
import { digestOfSize, faultOf, REPORTED_PART_BYTES, REPOSITORY } from './model-registry.ts';
import { ModelSource } from './model-source.ts';

const PART_BYTES = 5 * MIB;
const SIZE_BYTES = 12 * MIB;
const DIGEST = digestOfSize(SIZE_BYTES);
const KEY = `${REPOSITORY}@${DIGEST}`;
const LOST = faultOf('upload-lost', 'E_UPLOAD_LOST');

withClock();

/** Of an earlier process, which has sent that many whole parts. */
function journalsWith(
  partCount: number,
  sizeBytes: number | undefined = SIZE_BYTES,
): ModelJournals {
  const journals = new ModelJournals();
  journals.kept = {
    uploadId: 'earlier',
    partSizeBytes: PART_BYTES,
    sizeBytes,
    file: undefined,
    endByte: partCount * PART_BYTES,
    partCount,
    savedHash: undefined,
  };
  return journals;
}

describe('a layer that ECR lacks', () => {
  test('is asked for, sent in parts, completed, and told of', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    const outcome = await finish(rig.upload(source, { expectedDigest: DIGEST }));
    expect(outcome).toEqual({
      digest: DIGEST,
      sizeBytes: SIZE_BYTES,
      outcome: 'uploaded',
      partCount: 3,
      sentBytes: SIZE_BYTES,
      resumedBytes: 0,
    });
    expect(rig.registry.calls).toEqual([
      'hasLayer',
      'initiateUpload',
      'sendPart 0-5',
      'sendPart 5-10',
      'sendPart 10-12',
      'completeUpload',
    ]);
    expect(rig.events.slice(0, 2)).toEqual([
      expect.objectContaining({
        type: 'layer-started',
        repository: REPOSITORY,
        source: 'the layer',
        layerId: 1,
        sizeBytes: SIZE_BYTES,
        digest: DIGEST,
      }),
      expect.objectContaining({
        type: 'upload-initiated',
        uploadId: 'upload 1',
        partSizeBytes: PART_BYTES,
        partCount: 3,
      }),
    ]);
    expect(rig.eventsOf('part-acknowledged')).toMatchObject([
      { partIndex: 0, firstByte: 0, endByte: PART_BYTES, attemptCount: 1 },
      { partIndex: 1, firstByte: PART_BYTES, endByte: 2 * PART_BYTES, attemptCount: 1 },
      { partIndex: 2, firstByte: 2 * PART_BYTES, endByte: SIZE_BYTES, attemptCount: 1 },
    ]);
    expect(rig.events).toHaveLength(5);
    expect(rig.progress.snapshot()).toMatchObject({
      state: 'completing',
      digest: DIGEST,
      sizeBytes: SIZE_BYTES,
      acceptedBytes: SIZE_BYTES,
      wiredBytes: SIZE_BYTES,
      partsInFlight: 0,
    });
    expect(source.counts).toEqual({ opened: 1, closed: 1, assured: 1 });
    expect(rig.context.completed.sizeOf(REPOSITORY, DIGEST, 0)).toBe(SIZE_BYTES);
    await expectAllGivenBack(rig, source);
  });

  test('goes in parts of the size that ECR says, where none is asked for', async () => {
    const rig = layerRig({ partSizeBytes: undefined });
    await finish(rig.upload(new ModelSource({ sizeBytes: SIZE_BYTES })));
    expect(rig.eventsOf('upload-initiated')).toMatchObject([
      { partSizeBytes: REPORTED_PART_BYTES, partCount: 2 },
    ]);
  });

  test('of unknown digest and dear to read is sent unasked, and its digest told at the end', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await finish(rig.upload(source))).toMatchObject({ digest: DIGEST });
    expect(rig.registry.countOf('hasLayer')).toBe(0);
    expect(rig.eventsOf('layer-started')).toMatchObject([{ digest: undefined }]);
    expect(rig.eventsOf('layer-hashed')).toEqual([]);
  });

  test('of unknown size ends where its data do', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: 10 * MIB, isSizeKnown: false });
    expect(await finish(rig.upload(source))).toMatchObject({ partCount: 2, sizeBytes: 10 * MIB });
    expect(rig.eventsOf('upload-initiated')).toMatchObject([{ partCount: undefined }]);
    await expectAllGivenBack(rig, source);
  });

  test('is refused where its bytes have another digest than expected, and nothing is completed', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    const expectedDigest = digestOfSize(7);
    expect(await failureOf(rig.upload(source, { expectedDigest }))).toMatchObject({
      code: 'E_DIGEST_MISMATCH',
      message:
        `the layer has the digest ${DIGEST}, expected was ${expectedDigest}; nothing was completed. ` +
        'Check that the digest belongs to these bytes (a compressed layer and its diffID differ)',
      details: { expected: expectedDigest, actual: DIGEST, source: 'the layer' },
    });
    expect(rig.registry.countOf('completeUpload')).toBe(0);
    // Once at the end of the data, and once to see whether the source is to blame.
    expect(source.counts.assured).toBe(2);
    await expectAllGivenBack(rig, source);
  });
});

describe('a layer that can be read twice for little', () => {
  test('is hashed first, and not sent if ECR has it', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, cheapToReread: true });
    expect(await finish(rig.upload(source))).toEqual({
      digest: DIGEST,
      sizeBytes: SIZE_BYTES,
      outcome: 'already-present',
      partCount: 0,
      sentBytes: 0,
      resumedBytes: 0,
    });
    expect(rig.registry.calls).toEqual(['hasLayer']);
    expect(rig.eventsOf('layer-started')).toMatchObject([{ digest: undefined }]);
    expect(rig.eventsOf('layer-hashed')).toMatchObject([{ digest: DIGEST }]);
    expect(rig.progress).toMatchObject({ state: 'checking', digest: DIGEST });
    await expectAllGivenBack(rig, source);
  });

  test('is hashed by the workers where they can read it themselves', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({
      sizeBytes: SIZE_BYTES,
      cheapToReread: true,
      path: '/a/blob',
      pathOffsetBytes: 7,
    });
    await finish(rig.upload(source));
    expect(rig.workshop.jobs).toEqual([`hashFile /a/blob+7 0-${SIZE_BYTES}`]);
    expect(rig.progress.snapshot().hashedBytes).toBe(SIZE_BYTES);
    expect(source.counts).toEqual({ opened: 1, closed: 1, assured: 1 });
  });

  test('is seen to be hashed as long as that lasts', async () => {
    const seen: unknown[] = [];
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({
      sizeBytes: SIZE_BYTES,
      cheapToReread: true,
      beforeRead: async () => {
        seen.push(
          rig.progress.state,
          rig.progress.movements.map((each) => each.waitingFor),
        );
      },
    });
    await finish(rig.upload(source));
    expect(seen.slice(0, 2)).toEqual(['hashing', ['preparation']]);
  });

  test('is not hashed first where its digest is known, or nothing is asked', async () => {
    for (const order of [{ expectedDigest: DIGEST }, { presence: 'ignore' as const }]) {
      const rig = layerRig();
      const source = new ModelSource({ sizeBytes: SIZE_BYTES, cheapToReread: true, path: '/a' });
      expect(await finish(rig.upload(source, order))).toMatchObject({ outcome: 'uploaded' });
      expect(rig.workshop.jobs).not.toContainEqual(expect.stringContaining('hashFile'));
      expect(rig.eventsOf('layer-hashed')).toEqual([]);
    }
  });
});

describe('whether ECR has a layer', () => {
  test('is found by the digest that the source knows', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({ outcome: 'already-present' });
    expect(rig.eventsOf('layer-started')).toMatchObject([{ digest: DIGEST }]);
  });

  test('is asked by the digest that is expected, rather than the one that the source says', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: digestOfSize(7) });
    const outcome = await finish(rig.upload(source, { expectedDigest: DIGEST }));
    expect(outcome).toMatchObject({ outcome: 'already-present', digest: DIGEST });
  });

  test('is not asked where that is not wanted: it comes out at the end', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source, { presence: 'ignore' }))).toMatchObject({
      outcome: 'already-present',
      partCount: 3,
      sentBytes: SIZE_BYTES,
    });
    expect(rig.registry.countOf('hasLayer')).toBe(0);
  });

  test('is known of what this uploader has completed since it was asked', async () => {
    const rig = layerRig();
    rig.context.completed.add(REPOSITORY, DIGEST, SIZE_BYTES);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    const since = (completedSince: number) => rig.upload(source, { presence: { completedSince } });
    expect(await finish(since(0))).toMatchObject({
      outcome: 'already-present',
      sizeBytes: SIZE_BYTES,
      sentBytes: 0,
    });
    expect(await finish(since(rig.context.completed.mark))).toMatchObject({ outcome: 'uploaded' });
    expect(rig.registry.countOf('hasLayer')).toBe(0);
  });

  test('is told without a size where nobody knows it', async () => {
    const rig = layerRig();
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, isSizeKnown: false, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({ sizeBytes: 0 });
  });

  test('is of no use to a journal: what an earlier process left is forgotten', async () => {
    const journals = journalsWith(1);
    const rig = layerRig({ journals });
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({ outcome: 'already-present' });
    expect(journals.steps).toEqual(['open', 'discard', 'close']);
  });
});

describe('a layer that ECR cannot take', () => {
  test('for it is empty is refused before a call', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: 0, digest: DIGEST });
    expect(await failureOf(rig.upload(source))).toMatchObject({ code: 'E_SOURCE_EMPTY' });
    expect(rig.registry.calls).toEqual([]);
    expect(rig.eventsOf('layer-started')).toMatchObject([{ sizeBytes: 0 }]);
    await expectAllGivenBack(rig, source);
  });

  test('for it is too large is refused before anything is read or asked', async () => {
    const rig = layerRig();
    const source = new ModelSource({
      sizeBytes: LAYER_SIZE_MAX_BYTES + 1,
      cheapToReread: true,
      path: '/a',
    });
    expect(await failureOf(rig.upload(source))).toMatchObject({
      code: 'E_LAYER_TOO_LARGE',
      message: expect.stringContaining('the layer has'),
    });
    expect(rig.registry.calls).toEqual([]);
    expect(rig.workshop.jobs).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('for its stream has no bytes is refused, and nothing is completed', async () => {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: 0, isSizeKnown: false });
    expect(await failureOf(rig.upload(source))).toMatchObject({ code: 'E_SOURCE_EMPTY' });
    expect(rig.registry.countOf('completeUpload')).toBe(0);
    await expectAllGivenBack(rig, source);
  });
});

describe('two uploads of one layer', () => {
  test('share the work, and the second one has sent nothing', async () => {
    const rig = layerRig();
    const sources = [1, 2].map(() => new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST }));
    const outcomes = await finish(Promise.all(sources.map((source) => rig.upload(source))));
    expect(outcomes).toMatchObject([
      { outcome: 'uploaded', sentBytes: SIZE_BYTES },
      {
        outcome: 'already-present',
        digest: DIGEST,
        sizeBytes: SIZE_BYTES,
        partCount: 0,
        sentBytes: 0,
        resumedBytes: 0,
      },
    ]);
    expect(rig.registry.countOf('initiateUpload')).toBe(1);
    await expectAllGivenBack(rig, ...sources);
  });

  test('to two repositories are two', async () => {
    const rig = layerRig();
    rig.registry.repositories.add('other');
    const sources = [1, 2].map(() => new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST }));
    const outcomes = await finish(
      Promise.all(
        sources.map((source, index) =>
          rig.upload(source, index === 0 ? {} : { repository: 'other' }),
        ),
      ),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['uploaded', 'uploaded']);
    expect(rig.context.completed.sizeOf('other', DIGEST, 0)).toBe(SIZE_BYTES);
  });
});

describe('a layer whose upload ECR has lost', () => {
  test('starts again, once, and counts all that was sent', async () => {
    const rig = layerRig({ partsInFlight: 1 });
    rig.registry.answer('sendPart', (own) => own(), LOST);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await finish(rig.upload(source))).toMatchObject({
      outcome: 'uploaded',
      partCount: 3,
      sentBytes: SIZE_BYTES + 2 * PART_BYTES,
    });
    expect(rig.eventsOf('layer-restarted')).toMatchObject([
      { code: 'E_UPLOAD_LOST', message: 'E_UPLOAD_LOST by the test' },
    ]);
    expect(rig.totals.resentBytes).toBe(PART_BYTES);
    expect(rig.eventsOf('upload-initiated').map(({ uploadId }) => uploadId)).toEqual([
      'upload 1',
      'upload 2',
    ]);
    expect(source.counts).toMatchObject({ opened: 2, closed: 2 });
    await expectAllGivenBack(rig, source);
  });

  test('twice is given up, with what ECR said', async () => {
    const rig = layerRig();
    rig.registry.answer('sendPart', LOST);
    rig.registry.answer('completeUpload', LOST);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await failureOf(rig.upload(source))).toBe(LOST.error);
    expect(rig.registry.countOf('initiateUpload')).toBe(2);
    expect(rig.eventsOf('layer-restarted')).toHaveLength(1);
    await expectAllGivenBack(rig, source);
  });

  test('and whose source can be read only once is given up at once', async () => {
    const rig = layerRig();
    rig.registry.answer('completeUpload', LOST);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, rereadable: false });
    expect(await failureOf(rig.upload(source))).toBe(LOST.error);
    expect(rig.registry.countOf('initiateUpload')).toBe(1);
    expect(rig.eventsOf('layer-restarted')).toEqual([]);
  });

  test('starts again as well when the thread with its digest died', async () => {
    const rig = layerRig();
    rig.workshop.fail('digest');
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await finish(rig.upload(source))).toMatchObject({ outcome: 'uploaded' });
    expect(rig.eventsOf('layer-restarted')).toMatchObject([{ code: 'E_WORKER_LOST' }]);
    await expectAllGivenBack(rig, source);
  });

  test('tells of its Complete when that is repeated', async () => {
    const rig = layerRig();
    rig.registry.answer('completeUpload', faultOf('throttled', 'E_THROTTLED'));
    await finish(rig.upload(new ModelSource({ sizeBytes: SIZE_BYTES })));
    expect(rig.eventsOf('call-retried')).toMatchObject([{ operation: 'CompleteLayerUpload' }]);
  });

  test('does not start again where its own bytes are refused', async () => {
    const rig = layerRig();
    rig.registry.answer('completeUpload', faultOf('final', 'E_LAYER_REJECTED'));
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await failureOf(rig.upload(source))).toMatchObject({ code: 'E_LAYER_REJECTED' });
    expect(rig.registry.countOf('initiateUpload')).toBe(1);
  });

  test('does not start again after any other failure', async () => {
    const rig = layerRig();
    const denied = faultOf('final', 'E_ACCESS_DENIED');
    rig.registry.answer('sendPart', denied);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES });
    expect(await failureOf(rig.upload(source))).toBe(denied.error);
    expect(rig.registry.countOf('initiateUpload')).toBe(1);
    await expectAllGivenBack(rig, source);
  });
});

describe('the journal of a layer', () => {
  test('is begun before the first part, follows the parts, and goes at the end', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    await finish(rig.upload(source));
    expect(journals.identities).toEqual([{ repository: REPOSITORY, digest: DIGEST }]);
    expect(journals.steps).toEqual([
      'open',
      'begin',
      'note 1',
      'note 2',
      'note 3',
      'discard',
      'close',
    ]);
  });

  test('knows the upload and how it is cut before a part leaves', async () => {
    const journals = new ModelJournals();
    let begun = (): void => undefined;
    journals.beginning = new Promise((resolve) => {
      begun = resolve;
    });
    const rig = layerRig({ journals });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    const upload = rig.upload(source);
    await failsToSettle(upload);
    expect(rig.registry.calls).toEqual(['hasLayer', 'initiateUpload']);
    expect(journals.kept).toEqual({
      uploadId: 'upload 1',
      partSizeBytes: PART_BYTES,
      sizeBytes: SIZE_BYTES,
      file: undefined,
      endByte: 0,
      partCount: 0,
      savedHash: undefined,
    });
    begun();
    expect(await finish(upload)).toMatchObject({ outcome: 'uploaded' });
  });

  test('of one part is not kept', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals });
    const source = new ModelSource({ sizeBytes: PART_BYTES, digest: digestOfSize(PART_BYTES) });
    await finish(rig.upload(source));
    expect(journals.steps).toEqual([]);
  });

  test('of one part after all, as ECR wants them, is let go at once', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals, partSizeBytes: undefined });
    const source = new ModelSource({ sizeBytes: 6 * MIB, digest: digestOfSize(6 * MIB) });
    await finish(rig.upload(source));
    expect(journals.steps.slice(0, 2)).toEqual(['open', 'discard']);
    expect(journals.steps).not.toContain('begin');
  });

  test('saves the state of the digest only of what can be read once', async () => {
    for (const rereadable of [true, false]) {
      const journals = new ModelJournals();
      const rig = layerRig({ journals });
      await finish(
        rig.upload(new ModelSource({ sizeBytes: SIZE_BYTES, rereadable, digest: DIGEST })),
      );
      expect(rig.workshop.portables).toEqual([rereadable ? undefined : { saved: undefined }]);
    }
  });

  test('is no reason to save the digest where there is none', async () => {
    const rig = layerRig();
    await finish(rig.upload(new ModelSource({ sizeBytes: SIZE_BYTES, rereadable: false })));
    expect(rig.workshop.portables).toEqual([undefined]);
  });

  test('begins anew with the upload, and is not let go in between', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals });
    rig.registry.answer('sendPart', LOST);
    await finish(rig.upload(new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST })));
    expect(journals.steps.slice(0, 3)).toEqual(['open', 'begin', 'begin']);
  });

  test('stays after a failure that the next call may go on from, also after an abort', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals, partsInFlight: 1 });
    const denied = faultOf('final', 'E_ACCESS_DENIED');
    rig.registry.answer('sendPart', (own) => own(), denied);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await failureOf(rig.upload(source))).toBe(denied.error);
    expect(journals.kept).toMatchObject({ uploadId: 'upload 1', partCount: 1 });
    expect(journals.steps.at(-1)).toBe('close');
  });

  test('goes after a failure that would come again', async () => {
    const journals = new ModelJournals();
    const rig = layerRig({ journals });
    rig.registry.answer('sendPart', faultOf('final', 'E_PART_REJECTED'));
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await failureOf(rig.upload(source))).toMatchObject({ code: 'E_PART_REJECTED' });
    expect(journals.kept).toBe(undefined);
    expect(journals.steps.slice(-2)).toEqual(['discard', 'close']);
  });
});

describe('a layer that an earlier process has begun', () => {
  test('is gone on with behind what is there', async () => {
    const journals = journalsWith(1);
    const rig = layerRig({ journals });
    rig.registry.uploads.set('earlier', PART_BYTES);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toEqual({
      digest: DIGEST,
      sizeBytes: SIZE_BYTES,
      outcome: 'uploaded',
      partCount: 3,
      sentBytes: SIZE_BYTES - PART_BYTES,
      resumedBytes: PART_BYTES,
    });
    expect(rig.registry.calls).toEqual([
      'hasLayer',
      'sendPart 5-10',
      'sendPart 10-12',
      'completeUpload',
    ]);
    expect(rig.workshop.jobs[0]).toBe(`fold 0-${PART_BYTES}`);
    expect(rig.eventsOf('layer-resumed')).toMatchObject([
      { uploadId: 'earlier', resumedBytes: PART_BYTES },
    ]);
    expect(journals.steps).toEqual(['open', 'note 2', 'note 3', 'discard', 'close']);
    await expectAllGivenBack(rig, source);
  });

  test('may be complete already: then a lost upload is a layer that is there', async () => {
    const rig = layerRig({ journals: journalsWith(1) });
    rig.registry.uploads.set('earlier', PART_BYTES);
    rig.registry.answer('completeUpload', async () => {
      rig.registry.layers.add(KEY);
      throw LOST;
    });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({
      outcome: 'uploaded',
      resumedBytes: PART_BYTES,
    });
  });

  test('begins anew where ECR has forgotten it, and the old journal goes', async () => {
    const journals = journalsWith(1);
    const rig = layerRig({ journals });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({
      outcome: 'uploaded',
      partCount: 3,
      sentBytes: SIZE_BYTES + PART_BYTES,
      resumedBytes: 0,
    });
    expect(journals.steps.slice(0, 3)).toEqual(['open', 'discard', 'begin']);
    expect(rig.registry.countOf('hasLayer')).toBe(1);
    expect(source.counts).toMatchObject({ opened: 2, closed: 2 });
  });

  test('begins anew where its bytes are refused after all', async () => {
    const journals = journalsWith(1);
    const rig = layerRig({ journals });
    rig.registry.uploads.set('earlier', PART_BYTES);
    rig.registry.answer('completeUpload', faultOf('final', 'E_LAYER_REJECTED'));
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({ outcome: 'uploaded', partCount: 3 });
    expect(rig.eventsOf('layer-restarted')).toMatchObject([{ code: 'E_LAYER_REJECTED' }]);
    expect(journals.steps.filter((step) => step === 'discard')).toHaveLength(2);
  });

  test('may start again once more after it has begun anew', async () => {
    const rig = layerRig({ journals: journalsWith(1) });
    rig.registry.answer('sendPart', LOST, LOST);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source))).toMatchObject({ outcome: 'uploaded' });
    expect(rig.registry.countOf('initiateUpload')).toBe(2);
    await expectAllGivenBack(rig, source);
  });

  test('and whose upload is gone because it was completed is found there, where nobody has asked', async () => {
    const rig = layerRig({ journals: journalsWith(1) });
    rig.registry.layers.add(KEY);
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    expect(await finish(rig.upload(source, { presence: 'ignore' }))).toEqual({
      digest: DIGEST,
      sizeBytes: SIZE_BYTES,
      outcome: 'already-present',
      partCount: 0,
      sentBytes: PART_BYTES,
      resumedBytes: 0,
    });
    expect(rig.registry.calls).toEqual(['sendPart 5-10', 'hasLayer']);
  });

  test('and is not there is sent, also where nobody has asked', async () => {
    const rig = layerRig({ journals: journalsWith(1) });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    const outcome = await finish(rig.upload(source, { presence: 'ignore' }));
    expect(outcome).toMatchObject({ outcome: 'uploaded' });
  });

  test('and of unknown digest is sent without a question', async () => {
    const file = { path: '/a/blob', stamp: 'as it was' };
    const rig = layerRig({ journals: journalsWith(1) });
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, path: '/a/blob', file });
    const outcome = await finish(rig.upload(source, { presence: 'ignore' }));
    expect(outcome).toMatchObject({ outcome: 'uploaded' });
    expect(rig.registry.countOf('hasLayer')).toBe(0);
  });

  test('keeps its journal where only the thread with the digest was lost', async () => {
    const journals = journalsWith(1);
    const rig = layerRig({ journals });
    rig.registry.uploads.set('earlier', PART_BYTES);
    rig.workshop.fail('digest');
    const source = new ModelSource({ sizeBytes: SIZE_BYTES, digest: DIGEST });
    await finish(rig.upload(source));
    expect(journals.steps.indexOf('begin')).toBeLessThan(journals.steps.indexOf('discard'));
  });

  test('goes on with the saved state of the digest, and reads what is there without folding it', async () => {
    const journals = journalsWith(1, undefined);
    if (journals.kept !== undefined) {
      journals.kept = {
        ...journals.kept,
        savedHash: new Uint8Array(new Float64Array([PART_BYTES]).buffer),
      };
    }
    const rig = layerRig({ journals });
    rig.registry.uploads.set('earlier', PART_BYTES);
    const source = new ModelSource({
      sizeBytes: SIZE_BYTES,
      isSizeKnown: false,
      rereadable: false,
      digest: DIGEST,
    });
    expect(await finish(rig.upload(source))).toMatchObject({ resumedBytes: PART_BYTES });
    expect(rig.workshop.jobs).not.toContainEqual(expect.stringContaining('fold'));
    await expectAllGivenBack(rig, source);
  });
});

/** It has not settled when all that could happen has. */
async function failsToSettle(work: Promise<unknown>): Promise<void> {
  await expect(finish(work, 5, 500)).rejects.toThrow('it stands still');
}
