import { afterEach, expect, test, vi } from 'vitest';
import type { SyncReport, SyncReportTag } from '../../src/sync/index.ts';
import { randomFrom, startProgram } from '../journal/killable-program.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { summaryOf } from './corpus.ts';
import { makeCorpus } from './corpus-maker.ts';
import { outcomes, startSyncRig } from './sync-rig.ts';
import { blobPlaces, tagsIn, tagsOf } from './target-state.ts';

const KILLS = 4;

afterEach(() => {
  vi.unstubAllEnvs();
});

test(
  'a sync that is killed at any moment is finished by the next ones',
  { timeout: 60_000 },
  async () => {
    const corpus = makeCorpus({
      seed: 5,
      imageCount: 40,
      repositoryCount: 5,
      layerSizeMaxBytes: 500_000,
      referrerShare: 0.2,
    });
    const names = corpus.repositories.map(({ name }) => name);
    const { tagCount } = summaryOf(corpus);
    await using folder = await temporaryFolder();
    // Slow enough that there is a middle to be killed in.
    await using rig = await startSyncRig(corpus, {
      emulator: { network: { serviceTimeMs: { CompleteLayerUpload: 40, PutImage: 40 } } },
    });
    const { emulator, tally } = rig.target;
    const { AWS_ENDPOINT_URL_ECR: _, ...environment } = emulator.environment();
    const task = {
      config: rig.config({ referrers: true }),
      options: {
        imagesInFlight: 4,
        uploader: { workersMax: 1, proxy: 'none', resumeDirectory: folder.path },
      },
      environment,
    };
    const random = randomFrom(1);
    const completed = new Map<string, string>();
    let killCount = 0;
    let report: SyncReport | undefined;
    while (report === undefined) {
      const program = startProgram('../../sync/programs/run-sync.mjs', task);
      if (killCount < KILLS) {
        // In the first life before anything is there, then ever further on.
        await program.tells('image-started', 1);
        await program.tells('tag-completed', completed.size + Math.floor(random() * 10));
        await program.kill();
        killCount += 1;
      }
      const { isDone, isKilled, stderr } = await program.ended;
      if (!isDone && !isKilled) throw new Error(stderr);
      for (const { type, tag, report: told } of program.told) {
        if (type === 'sync-completed') report = told as SyncReport;
        if (type !== 'tag-completed') continue;
        const { repository, tag: name, status, digest } = tag as SyncReportTag;
        if (status === 'copied') completed.set(`${repository}:${name}`, digest ?? '');
      }
    }
    expect(killCount).toBe(KILLS);
    const counts = outcomes(report);
    expect(report.outcome).toBe('done');
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(tagCount);
    const state = await tagsIn(emulator, names);
    expect(state).toEqual(tagsOf(corpus));
    // What was told to be there was there.
    for (const [reference, digest] of completed) {
      const [repository = '', tag = ''] = reference.split(':');
      expect(state[repository]?.[tag]).toBe(digest);
    }
    const { failures, uploadCount } = tally.counts();
    expect(Object.keys(failures).filter((name) => name.startsWith('PutImage '))).toEqual([]);
    // A blob that was there unnamed when the process died may be sent to another repository again.
    const { placeCount, blobCount } = blobPlaces(emulator, names);
    expect(uploadCount).toBeLessThanOrEqual(placeCount);
    expect(uploadCount).toBeLessThanOrEqual(blobCount + 40 * KILLS);
  },
);
