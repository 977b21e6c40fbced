import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import type { Quotas } from '../../src/emulator/index.ts';
import type { Corpus } from './corpus.ts';
import { summaryOf } from './corpus.ts';
import { makeCorpus } from './corpus-maker.ts';
import { outcomes, type SyncRig, startSyncRig } from './sync-rig.ts';
import { blobPlaces, clientOf, tagsIn, tagsOf } from './target-state.ts';

/** ECR's table, faster where hundreds of images would only make the test long. */
const QUOTAS: Quotas = {
  BatchCheckLayerAvailability: { perSecond: 1000 },
  BatchGetImage: { perSecond: 2000 },
  CompleteLayerUpload: { perSecond: 300 },
  GetAuthorizationToken: { perSecond: 500 },
  InitiateLayerUpload: { perSecond: 300 },
  PutImage: { perSecond: 100 },
  UploadLayerPart: { perSecond: 500 },
};
/** Four fifths, as by default. */
const RATES = { CompleteLayerUpload: 240, InitiateLayerUpload: 240, PutImage: 80 };
const timeout = 60_000;

const corpus = makeCorpus({ imageCount: 120, repositoryCount: 12, layerSizeMaxBytes: 100_000 });
const names = corpus.repositories.map(({ name }) => name);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a sync of 120 images in 12 repositories', { timeout }, () => {
  test('copies each blob once and mounts it elsewhere, within the quotas; then there is little to do', async () => {
    await using rig = await startSyncRig(corpus, {
      emulator: { quotas: QUOTAS },
      callsPerSecondMax: RATES,
    });
    const { emulator, tally } = rig.target;
    const { report } = await rig.run(rig.config({ referrers: true }));
    const { tagCount, blobBytes } = summaryOf(corpus);
    expect(outcomes(report)).toEqual({ 'copied new': tagCount });
    expect(report.outcome).toBe('done');
    expect(await tagsIn(emulator, names)).toEqual(tagsOf(corpus));

    // The target: what it has, and how it came there.
    const { placeCount, blobCount } = blobPlaces(emulator, names);
    expect(placeCount).toBe(placesOf(corpus));
    const cold = tally.counts();
    expect(cold.uploadCount).toBeLessThanOrEqual(blobCount + 0.02 * (placeCount - blobCount));
    const mounted = (placeCount - cold.uploadCount) / (placeCount - blobCount);
    expect(mounted).toBeGreaterThanOrEqual(0.98);
    expect(cold.throttledCount).toBe(0);
    const created = names.map((name) => tally.callsOf(name, 'CreateRepository'));
    expect(created).toEqual(names.map(() => 1));
    // An index without its images, or an image without its layers, would have been refused.
    expect(refusalsOf(cold.failures, 'PutImage')).toEqual([]);
    await expectSubjectsFirst(rig, corpus);

    // The source: nothing is read twice.
    expect(duplicatesOf(rig, 'blob')).toEqual([]);
    expect(duplicatesOf(rig, 'manifest')).toEqual([]);
    expect(report.sources).toMatchObject([{ blobBytes, duplicateBlobBytes: 0, pausedMs: 0 }]);
    expect(report.targets).toMatchObject([
      { uploadedBlobCount: cold.uploadCount, mountedBlobCount: placeCount - cold.uploadCount },
    ]);

    tally.clear();
    rig.registry.clearRequests();
    const [first] = corpus.repositories;
    if (first === undefined) throw new Error('a corpus of repositories');
    const [tag = '', digest] = [...first.tags].at(0) ?? [];
    const other = [...first.tags.values()].find((one) => one !== digest) ?? '';
    const moved = { kind: 'move-tag', tag, digest: other } as const;
    rig.registry.change({ repository: first.name, change: moved });
    const warm = await rig.run(rig.config());
    expect(outcomes(warm.report)).toEqual({ 'copied moved': 1, 'skipped unchanged': tagCount - 1 });
    expect((await tagsIn(emulator, [first.name]))[first.name]?.[tag]).toBe(other);
    expect(tally.counts().uploadCount).toBe(0);
    for (const { name, tags } of corpus.repositories) {
      const extra = name === first.name ? 1 : 0;
      const callCount = tally.callsOf(name, 'BatchGetImage');
      expect(callCount).toBeLessThanOrEqual(Math.ceil(tags.size / 100) + extra);
    }
    const blobRequests = rig.registry.requests.filter(({ kind }) => kind === 'blob');
    expect(blobRequests).toEqual([]);
    const perTag = rig.registry.requests.filter(
      ({ kind, method }) => kind === 'manifest' && method === 'HEAD',
    );
    expect(perTag).toHaveLength(tagCount);
  });
});

describe('a sync into two targets', { timeout }, () => {
  test('reads the source once for both', async () => {
    const small = makeCorpus({
      seed: 2,
      imageCount: 24,
      repositoryCount: 4,
      layerSizeMaxBytes: 1e6,
    });
    await using rig = await startSyncRig(small, { targets: ['east', 'west'] });
    const { report } = await rig.run(rig.config({ referrers: true }));
    const { tagCount, blobBytes } = summaryOf(small);
    expect(outcomes(report)).toEqual({ 'copied new': 2 * tagCount });
    for (const { emulator, tally } of rig.targets.values()) {
      const repositories = small.repositories.map(({ name }) => name);
      expect(await tagsIn(emulator, repositories)).toEqual(tagsOf(small));
      const { blobCount } = blobPlaces(emulator, repositories);
      expect(tally.counts().uploadCount).toBe(blobCount);
    }
    expect(duplicatesOf(rig, 'blob')).toEqual([]);
    expect(report.sources).toMatchObject([{ blobBytes, duplicateBlobBytes: 0 }]);
  });
});

function placesOf({ repositories }: Corpus): number {
  return repositories.reduce((sum, { blobs }) => sum + blobs.size, 0);
}

function refusalsOf(failures: Readonly<Record<string, number>>, operation: string): string[] {
  return Object.keys(failures).filter((name) => name.startsWith(`${operation} `));
}

/** Downloads of what was downloaded before: of blobs in the whole registry, of manifests in a repository. */
function duplicatesOf({ registry }: SyncRig, kind: 'blob' | 'manifest'): string[] {
  const seen = new Set<string>();
  return registry.requests.flatMap((request) => {
    if (request.kind !== kind || request.method !== 'GET') return [];
    const { reference, repository, statusCode, path } = request;
    if (statusCode !== 200 && statusCode !== 206) return [];
    const key = kind === 'blob' ? reference : `${repository} ${reference}`;
    if (seen.has(key)) return [path];
    seen.add(key);
    return [];
  });
}

/** Referrers are not pushed before what they refer to. */
async function expectSubjectsFirst({ target }: SyncRig, { repositories }: Corpus): Promise<void> {
  const client = clientOf(target.emulator);
  let referrerCount = 0;
  for (const { name, manifests } of repositories) {
    const pushedAt = async (digest: Digest): Promise<number> => {
      const imageIds = [{ imageDigest: digest }];
      const reply = await client.send(
        new DescribeImagesCommand({ repositoryName: name, imageIds }),
      );
      return reply.imageDetails?.[0]?.imagePushedAt?.getTime() ?? Number.NaN;
    };
    for (const { subject, digest } of manifests.values()) {
      if (subject === undefined) continue;
      referrerCount += 1;
      expect(await pushedAt(subject)).toBeLessThanOrEqual(await pushedAt(digest));
    }
  }
  expect(referrerCount).toBeGreaterThan(5);
}
