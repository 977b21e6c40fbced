import { afterEach, expect, test, vi } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import type { Corpus, CorpusRepository } from './corpus.ts';
import { makeCorpus } from './corpus-maker.ts';
import { fillEmulator } from './emulator-fill.ts';
import { outcomes, startSyncRig } from './sync-rig.ts';
import { tagsIn } from './target-state.ts';

const TAGS_PER_REPOSITORY = 500;
/** What issue 6 grants for 10,000 unchanged tags. */
const CALLS_MAX = 300;

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Small images with many tags: 10,000 in 20 repositories. */
function taggedCorpus(): Corpus {
  const { repositories, blobs } = makeCorpus({
    imageCount: 100,
    repositoryCount: 20,
    layerSizeMaxBytes: 300,
    referrerShare: 0,
  });
  return { repositories: repositories.map(withTags), blobs };
}

function withTags(repository: CorpusRepository): CorpusRepository {
  const images = [...new Set(repository.tags.values())];
  const tags = new Map(
    Array.from({ length: TAGS_PER_REPOSITORY }, (_, index) => {
      const [major, minor] = [Math.floor(index / 100), index % 100];
      return [`v${major}.${minor}.0`, images[index % images.length] ?? 'sha256:'] as const;
    }),
  );
  return { ...repository, tags };
}

test('10,000 tags of which one has moved cost 300 calls at most', { timeout: 60_000 }, async () => {
  const corpus = taggedCorpus();
  await using rig = await startSyncRig(corpus, { emulator: { verifySignatures: false } });
  const { emulator, tally } = rig.target;
  await fillEmulator(emulator, corpus);
  tally.clear();
  const [{ name, tags }] = corpus.repositories as [CorpusRepository];
  const [tag, previous] = [...tags].at(-1) as [string, Digest];
  const digest = [...tags.values()].find((one) => one !== previous) as Digest;
  rig.registry.change({ repository: name, change: { kind: 'move-tag', tag, digest } });

  const { report } = await rig.run(rig.config());
  expect(outcomes(report)).toEqual({ 'copied moved': 1, 'skipped unchanged': 9999 });
  const moved = report.tags.filter(({ reason }) => reason === 'moved');
  expect(moved).toMatchObject([{ repository: name, tag, digest }]);
  expect((await tagsIn(emulator, [name]))[name]?.[tag]).toBe(digest);
  const { calls, callCount, throttledCount, uploadCount } = tally.counts();
  expect(callCount - (calls['ListImages'] ?? 0)).toBeLessThanOrEqual(CALLS_MAX);
  expect([throttledCount, uploadCount]).toEqual([0, 0]);
  const told = Object.values(report.targets[0]?.calls ?? {}).reduce((sum, count) => sum + count, 0);
  expect(told).toBe(callCount - (calls['ListImages'] ?? 0));
  const asked = rig.registry.requests.filter(({ kind }) => kind === 'manifest');
  expect(asked.filter(({ method }) => method === 'HEAD')).toHaveLength(10_000);
  expect(asked.filter(({ method }) => method === 'GET').length).toBeLessThanOrEqual(3);
});
