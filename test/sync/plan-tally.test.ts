import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import type { ImagePlan, PlannedBlob } from '../../src/image/image-plan.ts';
import { MIB } from '../../src/limits.ts';
import { PlanTally } from '../../src/sync/plan-tally.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const PART_BYTES = 20 * MIB;

function blobOf(index: number, sizeBytes: number, reason: PlannedBlob['reason']): PlannedBlob {
  return {
    digest: digestOf(index),
    sizeBytes,
    mediaType: 'layer',
    kind: 'layer',
    action: reason === 'missing' ? 'upload' : 'skip',
    reason,
  };
}

function planOf(
  repository: string,
  blobs: readonly PlannedBlob[],
  calls: Readonly<Record<string, number>> = {},
): ImagePlan {
  return {
    repository,
    source: 'a',
    digest: digestOf(99),
    mediaType: 'manifest',
    repositoryExists: true,
    tags: [],
    manifests: [],
    blobs,
    uploadBytes: 0,
    presentBytes: 0,
    calls,
  };
}

const nowhere = (): undefined => undefined;

describe('what a sync would cost a target', () => {
  test('is each blob once, and a mount for every other repository', () => {
    const tally = new PlanTally(true, PART_BYTES, nowhere);
    const base = blobOf(1, 45 * MIB, 'missing');
    tally.add(planOf('a', [base, blobOf(2, 1000, 'missing')]));
    tally.add(planOf('a', [base, blobOf(3, 10, 'missing')]));
    tally.add(planOf('b', [base]));
    tally.add(planOf('c', [base]));
    expect(tally.result('one', {})).toEqual({
      target: 'one',
      uploadBlobCount: 3,
      uploadBytes: 45 * MIB + 1010,
      mountBlobCount: 2,
      mountBytes: 90 * MIB,
      calls: {
        // Three uploads and two mounts.
        InitiateLayerUpload: 5,
        // 20 + 20 + 5 MiB, and one part for each of the small ones.
        UploadLayerPart: 5,
        CompleteLayerUpload: 3,
      },
      quotaMs: 0,
    });
  });

  test('is a mount where another repository has the blob by now, by its manifests or by the plan', () => {
    const known = (digest: Digest): string | undefined =>
      digest === digestOf(1) ? 'elsewhere' : undefined;
    const tally = new PlanTally(true, PART_BYTES, known);
    tally.add(planOf('a', [blobOf(1, 100, 'missing'), blobOf(2, 10, 'present')]));
    tally.add(planOf('b', [blobOf(2, 10, 'missing')]));
    expect(tally.result('one', {})).toMatchObject({
      uploadBlobCount: 0,
      mountBlobCount: 2,
      mountBytes: 110,
      calls: { InitiateLayerUpload: 2 },
    });
  });

  test('is an upload for each repository where the account mounts nothing', () => {
    const tally = new PlanTally(false, PART_BYTES, () => 'elsewhere');
    for (const repository of ['a', 'a', 'b']) {
      tally.add(planOf(repository, [blobOf(1, 100, 'missing')]));
    }
    expect(tally.result('one', {})).toMatchObject({
      uploadBlobCount: 2,
      uploadBytes: 200,
      mountBlobCount: 0,
      calls: { InitiateLayerUpload: 2, UploadLayerPart: 2, CompleteLayerUpload: 2 },
    });
  });

  test('is nothing for blobs that stay with their vendor', () => {
    const tally = new PlanTally(true, PART_BYTES, nowhere);
    tally.add(planOf('a', [blobOf(1, 100, 'foreign')]));
    tally.add(planOf('b', [blobOf(1, 100, 'missing')]));
    expect(tally.result('one', {})).toMatchObject({ uploadBlobCount: 1, mountBlobCount: 0 });
  });

  test('adds up the calls of the images, but creates a repository once and counts blobs anew', () => {
    const tally = new PlanTally(true, PART_BYTES, nowhere);
    const calls = {
      CreateRepository: 1,
      PutImage: 2,
      BatchCheckLayerAvailability: 1,
      InitiateLayerUpload: 40,
      UploadLayerPart: 40,
      CompleteLayerUpload: 40,
    };
    for (const repository of ['a', 'a', 'b']) tally.add(planOf(repository, [], calls));
    expect(tally.result('one', {}).calls).toEqual({
      CreateRepository: 2,
      PutImage: 6,
      BatchCheckLayerAvailability: 3,
    });
  });

  test('takes as long as the operation that has to wait longest for its rate', () => {
    const tally = new PlanTally(true, PART_BYTES, nowhere);
    tally.add(planOf('a', [], { PutImage: 100, BatchGetImage: 10, GetDownloadUrlForLayer: 9 }));
    const rates = { PutImage: 8, BatchGetImage: 2 };
    // A second's calls leave at once: 100 / 8 - 1 seconds; BatchGetImage takes 4.
    expect(tally.result('one', rates).quotaMs).toBe(11_500);
    expect(tally.result('one', { PutImage: 200 }).quotaMs).toBe(0);
  });
});
