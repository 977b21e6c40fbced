import { describe, expect, test } from 'vitest';
import { bytesSource, streamSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { makeRepository, REPOSITORY, startRig } from './upload-rig.ts';

const bytes = layerBytes(6 * MIB);
const digest = digestOf(bytes);
const known = bytesSource(bytes, { digest });
/** Nothing is acknowledged before both uploads have begun. */
const slow = { emulator: { network: { serviceTimeMs: { UploadLayerPart: 30 } } } } as const;

describe('uploads of one digest to one repository, side by side,', () => {
  test.each([
    { name: 'known beforehand', source: known },
    { name: 'found by hashing', source: bytesSource(bytes) },
  ])('share one upload: a digest $name', async ({ source }) => {
    await using rig = await startRig(slow);
    const receipts = await Promise.all([1, 2, 3, 4].map(() => rig.upload(source)));
    expect(receipts.filter(({ outcome }) => outcome === 'uploaded')).toHaveLength(1);
    expect(receipts.filter(({ outcome }) => outcome === 'already-present')).toMatchObject(
      Array.from({ length: 3 }, () => ({ digest, sizeBytes: bytes.length, sentBytes: 0 })),
    );
    expect(callCounts(rig.emulator)).toEqual({
      BatchCheckLayerAvailability: 1,
      InitiateLayerUpload: 1,
      UploadLayerPart: 2,
      CompleteLayerUpload: 1,
    });
  });

  test('do not share what goes to another repository', async () => {
    await using rig = await startRig(slow);
    await makeRepository(rig.emulator, 'team/other');
    rig.emulator.journal.clear();
    const other = rig.uploader.uploadLayer({ repository: 'team/other', source: known });
    expect(await Promise.all([rig.upload(known), other])).toMatchObject([
      { outcome: 'uploaded' },
      { outcome: 'uploaded' },
    ]);
    expect(callCounts(rig.emulator)).toMatchObject({ CompleteLayerUpload: 2 });
    await expectStored(rig.emulator, bytes, 'team/other');
  });

  test('do not share the abort: the next in line uploads the layer itself', async () => {
    await using rig = await startRig(slow);
    const abort = new AbortController();
    const reason = new Error('the leader leaves');
    const leader = reasonOf(
      rig.upload(known, {
        signal: abort.signal,
        onEvent: ({ type }) => void (type === 'upload-initiated' && abort.abort(reason)),
      }),
    );
    const followers = [rig.upload(known), rig.upload(known)];
    expect(await leader).toBe(reason);
    const outcomes = (await Promise.all(followers)).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['already-present', 'uploaded']);
    expect(callCounts(rig.emulator)).toMatchObject({
      InitiateLayerUpload: 2,
      CompleteLayerUpload: 1,
    });
    await expectStored(rig.emulator, bytes);
  });

  test('do not share the failure of a source', async () => {
    await using rig = await startRig(slow);
    const torn = streamSource(() => Promise.resolve(new Blob([layerBytes(10)]).stream()), {
      digest,
      sizeBytes: bytes.length,
    });
    let follower: Promise<unknown> = Promise.resolve();
    const leader = rig.upload(torn, {
      onEvent: ({ type }) => {
        if (type === 'upload-initiated') follower = rig.upload(known);
      },
    });
    await expectFailure(leader, 'E_SOURCE_CHANGED');
    expect(await follower).toMatchObject({ outcome: 'uploaded' });
    await expectStored(rig.emulator, bytes);
  });

  test('let a follower leave while the leader goes on', async () => {
    await using rig = await startRig(slow);
    const abort = new AbortController();
    const reason = new Error('the follower leaves');
    const leader = rig.upload(known, {
      onEvent: ({ type }) => void (type === 'upload-initiated' && abort.abort(reason)),
    });
    const follower = reasonOf(rig.upload(known, { signal: abort.signal }));
    expect(await follower).toBe(reason);
    expect(await leader).toMatchObject({ outcome: 'uploaded' });
  });

  test('close the sources of all of them', async () => {
    let openCount = 0;
    const make = () => {
      openCount += 1;
      const reader = new Blob([bytes]).stream().getReader();
      return new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          const { done, value } = await reader.read();
          if (!done) controller.enqueue(value);
          else {
            openCount -= 1;
            controller.close();
          }
        },
        cancel: () => {
          openCount -= 1;
        },
      });
    };
    await using rig = await startRig(slow);
    await Promise.all([1, 2, 3].map(() => rig.upload(streamSource(make, { digest }))));
    await rig.uploader.close();
    expect(openCount).toBe(0);
  });

  test('share nothing when the digest is found on the way only', async () => {
    await using rig = await startRig(slow);
    const upload = () =>
      rig.uploader.uploadLayer({
        repository: REPOSITORY,
        source: bytesSource(bytes),
        checkFirst: false,
      });
    const outcomes = (await Promise.all([upload(), upload()])).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['already-present', 'uploaded']);
    expect(rig.emulator.journal.count({ exception: 'LayerAlreadyExistsException' })).toBe(1);
  });
});
