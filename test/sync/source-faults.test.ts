import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import type { SyncReportTag } from '../../src/sync/index.ts';
import { type Corpus, type CorpusRepository, sizeOfBlob, summaryOf } from './corpus.ts';
import { makeCorpus } from './corpus-maker.ts';
import { outcomes, startSyncRig } from './sync-rig.ts';
import { tagsIn, tagsOf } from './target-state.ts';

const timeout = 40_000;

/** Every image has layers that only it has, and layers that it shares. */
const corpus = makeCorpus({
  imageCount: 15,
  repositoryCount: 3,
  layerSizeMaxBytes: 300_000,
  moreTagsShare: 0,
  indexShare: 0.2,
});
const [first] = corpus.repositories;
if (first === undefined) throw new Error('a corpus of repositories');
const repository = first;
const names = corpus.repositories.map(({ name }) => name);
const { tagCount, blobBytes } = summaryOf(corpus);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a source that', { timeout }, () => {
  test('drops downloads is asked for the rest of them', async () => {
    await using rig = await startSyncRig(corpus);
    const large = largestBlobs(corpus, 5);
    for (const reference of large) {
      const afterBytes = Math.floor(sizeOfBlob(corpus, reference) / 2);
      rig.registry.addFaults([{ on: 'blob', reference, action: { kind: 'drop', afterBytes } }]);
    }
    const { report } = await rig.run(rig.config({ referrers: true }));
    expect(outcomes(report)).toEqual({ 'copied new': tagCount });
    expect(await tagsIn(rig.target.emulator, names)).toEqual(tagsOf(corpus));
    for (const digest of large) {
      const seen = rig.registry.requests.filter(({ reference }) => reference === digest);
      const afterBytes = Math.floor(sizeOfBlob(corpus, digest) / 2);
      expect(seen.map(({ range }) => range)).toEqual([undefined, `bytes=${afterBytes}-`]);
    }
    const sentBytes = rig.registry.requests
      .filter(({ kind }) => kind === 'blob')
      .reduce((sum, request) => sum + request.sentBytes, 0);
    expect(sentBytes).toBe(blobBytes);
  });

  test('sends other bytes than a digest says fails the images of it, and no other', async () => {
    await using rig = await startSyncRig(corpus);
    const { digest, tags } = ownLayer(repository);
    rig.registry.addFaults([
      { on: 'blob', reference: digest, times: 1000, action: { kind: 'wrong-bytes' } },
    ]);
    const { report } = await rig.run(rig.config({ referrers: true }));
    expect(outcomes(report)).toEqual({
      'copied new': tagCount - tags.length,
      'failed new E_DIGEST_MISMATCH': tags.length,
    });
    expect(report.outcome).toBe('partial');
    const failed = failedTags(report.tags);
    expect(failed.map(({ tag }) => tag).toSorted()).toEqual(tags.toSorted());
    expect(failed.every(({ error }) => error?.message.includes(digest))).toBe(true);
    const expected = tagsOf(corpus);
    const others = { ...expected[repository.name] };
    for (const tag of tags) delete others[tag];
    const state = await tagsIn(rig.target.emulator, names);
    expect(state).toEqual({ ...expected, [repository.name]: others });

    rig.registry.clearFaults();
    const again = await rig.run(rig.config({ referrers: true }), { onlyFailed: report });
    expect(outcomes(again.report)).toEqual({ 'copied new': tags.length });
    expect(await tagsIn(rig.target.emulator, names)).toEqual(expected);
  });

  test('wants a pause gets it, and says so', async () => {
    await using rig = await startSyncRig(corpus, {
      source: {
        faults: [
          {
            on: 'manifest',
            nth: 4,
            action: {
              kind: 'refuse',
              statusCode: 429,
              code: 'TOOMANYREQUESTS',
              headers: { 'retry-after': '1', 'ratelimit-limit': '100;w=21600' },
            },
          },
        ],
      },
    });
    const { report, events } = await rig.run(rig.config({ referrers: true }));
    expect(outcomes(report)).toEqual({ 'copied new': tagCount });
    expect(await tagsIn(rig.target.emulator, names)).toEqual(tagsOf(corpus));
    const paused = events.filter(({ type }) => type === 'source-paused');
    expect(paused).toMatchObject([{ registry: rig.registry.host }]);
    expect(report.sources).toMatchObject([{ registry: rig.registry.host }]);
    expect(report.sources[0]?.pausedMs).toBeGreaterThan(500);
    const refused = rig.registry.requests.filter(({ statusCode }) => statusCode === 429);
    expect(refused).toHaveLength(1);
  });

  test('grants so many pulls in a window is waited for', async () => {
    await using rig = await startSyncRig(corpus, {
      source: { budget: { limit: 20, windowSeconds: 2 } },
    });
    const { report, events } = await rig.run(rig.config());
    expect(outcomes(report)).toEqual({ 'copied new': tagCount });
    expect(events.some(({ type }) => type === 'source-paused')).toBe(true);
  });

  test('moves a tag while it is read gives the old image or the new, whole', async () => {
    const tags = [...repository.tags];
    const [tag = '', oldDigest] = tags[0] ?? [];
    const newDigest = tags.map(([, digest]) => digest).find((digest) => digest !== oldDigest);
    for (const beforeManifestRequest of [1, 10, 20]) {
      await using rig = await startSyncRig(corpus, {
        source: {
          changes: [
            {
              beforeManifestRequest,
              repository: repository.name,
              change: { kind: 'move-tag', tag, digest: newDigest ?? '' },
            },
          ],
        },
      });
      const { report } = await rig.run(rig.config({ referrers: true }));
      expect(outcomes(report)).toEqual({ 'copied new': tagCount });
      const state = await tagsIn(rig.target.emulator, names);
      expect([oldDigest, newDigest]).toContain(state[repository.name]?.[tag]);
      const later = await rig.run(rig.config());
      const moved = later.report.tags.filter(({ reason }) => reason === 'moved').length;
      expect(moved).toBe(state[repository.name]?.[tag] === newDigest ? 0 : 1);
      const settled = await tagsIn(rig.target.emulator, names);
      expect(settled[repository.name]?.[tag]).toBe(newDigest);
    }
  });

  test('loses a manifest in mid-run fails that image, and no other', async () => {
    await using rig = await startSyncRig(corpus, {
      source: {
        changes: [
          {
            // Every tag has been looked at by then.
            beforeManifestRequest: tagCount + 1,
            repository: repository.name,
            change: { kind: 'remove-manifest', digest: ownLayer(repository).image },
          },
        ],
      },
    });
    const { report } = await rig.run(rig.config());
    const failed = failedTags(report.tags);
    const copied = report.tags.filter(({ status }) => status === 'copied');
    expect(copied.length + failed.length).toBe(tagCount);
    expect(failed.length).toBeLessThanOrEqual(ownLayer(repository).tags.length);
    expect(failed.every(({ error }) => error?.code === 'E_IMAGE_NOT_FOUND')).toBe(true);
    const state = await tagsIn(rig.target.emulator, names);
    for (const { repository: name = '', tag, sourceDigest } of copied) {
      expect(state[name]?.[tag]).toBe(sourceDigest);
    }
  });

  test('stops in a layer keeps back its image, and no other of the repository', async () => {
    const single = makeCorpus({
      seed: 4,
      imageCount: 8,
      repositoryCount: 1,
      layerSizeMaxBytes: 50_000,
      moreTagsShare: 0,
      indexShare: 0,
    });
    const [only] = single.repositories as [CorpusRepository];
    const held = ownLayer(only);
    await using rig = await startSyncRig(single);
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const action = { kind: 'hold', afterBytes: 100, until } as const;
    rig.registry.addFaults([{ on: 'blob', reference: held.digest, action }]);
    const ended: (string | undefined)[] = [];
    const others = only.tags.size - held.tags.length;
    const { report } = await rig.run(rig.config(), {}, (event) => {
      if (event.type !== 'tag-completed') return;
      ended.push(event.tag.sourceDigest);
      if (ended.length === others) release();
    });
    expect(outcomes(report)).toEqual({ 'copied new': only.tags.size });
    expect(ended.indexOf(held.image)).toBe(others);
  });
});

describe('a source with tokens and pages of three', { timeout }, () => {
  test('is read to its end, with one token a repository', async () => {
    const login = { username: 'somebody', password: 'secret' };
    await using rig = await startSyncRig(corpus, {
      source: { auth: 'bearer', login, pageSize: 3, referrers: 'tags' },
    });
    const config = rig.config({ referrers: true, tags: { exclude: ['sha256-*'] } });
    const { report } = await rig.run(config, { credentials: () => Promise.resolve(login) });
    const copied = report.tags.filter(({ status }) => status === 'copied');
    expect(copied).toHaveLength(tagCount);
    expect(await tagsIn(rig.target.emulator, names)).toEqual(tagsOf(corpus));
    // And one for the catalog.
    expect(rig.registry.tokenCount).toBe(names.length + 1);
  });
});

function failedTags(tags: readonly SyncReportTag[]): readonly SyncReportTag[] {
  return tags.filter(({ status }) => status === 'failed');
}

function largestBlobs({ blobs }: Corpus, count: number): Digest[] {
  return [...blobs.keys()]
    .toSorted((left, right) => sizeOfBlob(corpus, right) - sizeOfBlob(corpus, left))
    .slice(0, count);
}

/** A layer of one image alone, and the tags of it. */
function ownLayer({ manifests, tags }: CorpusRepository): {
  readonly digest: Digest;
  readonly image: Digest;
  readonly tags: readonly string[];
} {
  const images = new Set(tags.values());
  const single = [...manifests.values()].find(
    ({ digest, children, blobs }) =>
      images.has(digest) && children.length === 0 && blobs.length > 2,
  );
  const digest = single?.blobs.at(-1);
  if (single === undefined || digest === undefined) throw new Error('a corpus of single images');
  const own = [...tags].flatMap(([tag, image]) => (image === single.digest ? [tag] : []));
  return { digest, image: single.digest, tags: own };
}
