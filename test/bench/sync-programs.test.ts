import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compilePrograms } from '../../bench/harness/program.ts';
import { findRivals, lastOf, longshoreProgram } from '../../bench/sync/sync-program.ts';
import { runSyncProgram, SyncTarget } from '../../bench/sync/sync-run.ts';
import { startSource } from '../../bench/sync/sync-source.ts';
import { summaryOf } from '../sync/corpus.ts';
import { makeCorpus } from '../sync/corpus-maker.ts';

const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spec = { imageCount: 6, repositoryCount: 2, referrerShare: 0 };

describe('the benchmark of syncs', { timeout: 60_000 }, () => {
  test('runs every program that is there, and counts what both sides saw', async () => {
    const programs = await compilePrograms();
    try {
      const { files } = programs;
      const corpus = makeCorpus(spec);
      const { blobCount, tagCount } = summaryOf(corpus);
      await using source = await startSource(corpus, spec, files['corpus-server']);
      const main = join(dirname(files.server), 'dist/src/cli/main.js');
      for (const program of [longshoreProgram(main), ...findRivals().found]) {
        await using target = await SyncTarget.start(files['sync-target'], { quotas: false });
        const own = join(folder, program.name);
        const place = { corpus, source, target, quotas: false, folder: own };
        const first = await runSyncProgram(program, place);
        expect(first).toMatchObject({ exitCode: 0, tagCount, rightTagCount: tagCount });
        expect(first.blobReadCount).toBeGreaterThanOrEqual(blobCount);
        expect(first.target.uploadCount).toBeGreaterThanOrEqual(blobCount);
        const again = await runSyncProgram(program, place);
        expect(again).toMatchObject({ exitCode: 0, rightTagCount: tagCount });
        expect(again.target.uploadCount).toBe(0);
      }
    } finally {
      programs.remove();
    }
  });

  test('serves a corpus itself where there is no registry', async () => {
    const programs = await compilePrograms();
    const path = process.env['PATH'];
    try {
      process.env['PATH'] = folder;
      const { files } = programs;
      await using source = await startSource(makeCorpus(spec), spec, files['corpus-server']);
      expect(source.name).toContain('our own');
      const reply = await fetch(`http://${source.host}/v2/_catalog`);
      expect(await reply.json()).toEqual({ repositories: ['team-1/app-1', 'team-2/app-2'] });
      expect(await source.answers()).toMatchObject([{ path: '/v2/_catalog', statusCode: 200 }]);
      expect(findRivals(folder).notes).toHaveLength(3);
    } finally {
      process.env['PATH'] = path;
      programs.remove();
    }
  });
});

test('a repository goes to its last name', () => {
  expect(['team-1/app-1', 'app'].map(lastOf)).toEqual(['app-1', 'app']);
});
