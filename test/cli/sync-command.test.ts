import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { LongshoreError } from '../../src/index.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { failedTag, reportOf, reportTag } from './sync-sample.ts';
import { type SyncSetup, setUpSync, telling } from './sync-setup.ts';

const DONE = reportOf('done', [reportTag('1.25', 'copied'), reportTag('1.24', 'skipped')]);
const PARTIAL = reportOf('partial', [
  reportTag('1.25', 'copied'),
  failedTag('1.24'),
  reportTag('1.23', 'not-started'),
]);

function ending(report = DONE): SyncSetup {
  return setUpSync(telling(report));
}

describe('a sync', () => {
  test('prints one line for machines and the sums for people', async () => {
    const { context, files } = ending();
    expect(await runProgram(context, ['sync', 'mirror.yaml'])).toBe(0);
    expect(context.stdout.text).toBe('done copied=1 skipped=1 failed=0 not-started=0\n');
    expect(context.stderr.lines).toEqual([
      '2 tags: 1 copied; 1 skipped (1 unchanged)',
      '1.20 GB sent in 34 blobs; 3.40 GB mounted in 120 blobs, which saved 73%',
      '16 calls in 4:12, none throttled',
      'docker.io: 1.20 GB read in 412 requests',
    ]);
    expect(files).toEqual(['mirror.yaml']);
    expect(context.signalListeners.size).toBe(0);
  });

  test('with --json prints the report, with --quiet nothing else', async () => {
    const { context } = ending();
    expect(await runProgram(context, ['sync', 'm.yaml', '--json', '--quiet'])).toBe(0);
    expect(context.stdout.lines).toHaveLength(1);
    expect(JSON.parse(context.stdout.text)).toEqual(JSON.parse(JSON.stringify(DONE)));
    expect(context.stderr.text).toBe('');
  });

  test.each([
    ['partial', 3],
    ['failed', 1],
    ['interrupted', 130],
  ] as const)('whose outcome is %s ends with %i', async (outcome, exitCode) => {
    const { context } = ending(reportOf(outcome, [failedTag('1.24')]));
    expect(await runProgram(context, ['sync', 'm.yaml'])).toBe(exitCode);
    expect(context.stdout.text).toMatch(new RegExp(`^${outcome} `));
  });

  test('that fails as a whole ends with 1 and tells why', async () => {
    const error = new LongshoreError('E_CREDENTIALS', 'no credentials were found', {
      operation: 'DescribeRegistry',
    });
    const { context } = setUpSync(() => {
      throw error;
    });
    expect(await runProgram(context, ['sync', 'm.yaml', '--json'])).toBe(1);
    expect(JSON.parse(context.stdout.text)).toMatchObject({ error: { code: 'E_CREDENTIALS' } });
    expect(context.stderr.text).toContain('no credentials were found (E_CREDENTIALS)');
    expect(context.signalListeners.size).toBe(0);
  });

  test('that is refused for an option ends with 2', async () => {
    const details = { option: 'imagesInFlight', expected: '1 to 256', received: '0' };
    const { context } = setUpSync(() => {
      throw new LongshoreError('E_OPTION_INVALID', 'imagesInFlight: expected 1 to 256', details);
    });
    expect(await runProgram(context, ['sync', 'm.yaml'])).toBe(2);
    expect(context.stderr.text).toContain('option: --images-in-flight');
  });
});

describe('a configuration that is wrong', () => {
  const problems = [
    { line: 3, column: 5, path: 'targets', problem: 'expected fields, received a list' },
    { line: 9, column: 7, path: 'mappings[0].form', problem: 'there is no such field' },
  ];
  const message = problems
    .map(({ line, column, path, problem }) => `m.yaml:${line}:${column}: ${path}: ${problem}`)
    .join('\n');
  const wrong = new LongshoreError('E_CONFIG_INVALID', message, { file: 'm.yaml', problems });

  test.each([[], ['--dry-run'], ['--watch', '5m']])(
    'ends %j with 2 and a line for each problem',
    async (...flags) => {
      const setup = setUpSync(telling(DONE), { readSyncConfig: () => Promise.reject(wrong) });
      expect(await runProgram(setup.context, ['sync', 'm.yaml', ...flags])).toBe(2);
      expect(setup.context.stderr.lines).toEqual([
        'm.yaml:3:5: targets: expected fields, received a list',
        'm.yaml:9:7: mappings[0].form: there is no such field',
        'longshore: m.yaml has 2 problems (E_CONFIG_INVALID)',
      ]);
      expect(setup.runCount()).toBe(0);
    },
  );

  test.each([[], ['--dry-run'], ['--watch', '5m']])(
    'that is not there ends %j with 2',
    async (...flags) => {
      const gone = new LongshoreError('E_SOURCE_UNREADABLE', 'm.yaml cannot be read: ENOENT', {
        source: 'm.yaml',
        systemCode: 'ENOENT',
      });
      const setup = setUpSync(telling(DONE), { readSyncConfig: () => Promise.reject(gone) });
      expect(await runProgram(setup.context, ['sync', 'm.yaml', ...flags])).toBe(2);
      expect(setup.context.stderr.text).toContain('m.yaml cannot be read: ENOENT');
      expect(setup.runCount()).toBe(0);
    },
  );

  test('is told to machines with all places', async () => {
    const setup = setUpSync(telling(DONE), { readSyncConfig: () => Promise.reject(wrong) });
    expect(await runProgram(setup.context, ['sync', 'm.yaml', '--json'])).toBe(2);
    expect(JSON.parse(setup.context.stdout.text)).toMatchObject({
      error: { code: 'E_CONFIG_INVALID', details: { file: 'm.yaml', problems } },
    });
  });

  test('is not imported either', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'skopeo.yaml');
    await writeFile(path, '[');
    const setup = setUpSync(telling(DONE), {
      importSkopeo: () => {
        throw wrong;
      },
    });
    expect(await runProgram(setup.context, ['sync', path, '--import', 'skopeo'])).toBe(2);
    expect(setup.context.stdout.text).toBe('');
  });
});

describe('--report', () => {
  test.each([DONE, PARTIAL, reportOf('interrupted', [reportTag('1', 'not-started')])])(
    'is written whole when the outcome is $outcome',
    async (report) => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, 'report.json');
      await writeFile(path, 'an older one');
      const { context } = ending(report);
      await runProgram(context, ['sync', 'm.yaml', '--report', path]);
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)));
      expect(await readdir(folder.path)).toEqual(['report.json']);
    },
  );

  test('is named to those who want to try the rest again', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "it's.json");
    const { context } = ending(PARTIAL);
    expect(await runProgram(context, ['sync', 'm.yaml', '--report', path])).toBe(3);
    const quoted = path.replace("'", `'\\''`);
    expect(context.stderr.lines.at(-1)).toBe(
      `to try only these again: longshore sync m.yaml --only-failed '${quoted}'`,
    );
  });

  test('that has no place is refused before anything is done', async () => {
    const { context, runCount } = ending();
    const words = ['sync', 'm.yaml', '--report', '/nowhere/at/all/report.json'];
    expect(await runProgram(context, words)).toBe(2);
    expect(context.stderr.text).toContain('cannot write the file of --report');
    expect(runCount()).toBe(0);
  });

  test('that cannot be written in the end is told, and nothing is left of it', async () => {
    await using folder = await temporaryFolder();
    const { context } = ending();
    // A folder of this name is in the way.
    const words = ['sync', 'm.yaml', '--report', folder.path];
    expect(await runProgram(context, words)).toBe(1);
    expect(context.stderr.text).toContain('cannot write the report');
    expect(context.stdout.text).toContain('done copied=1');
    expect(existsSync(`${folder.path}.4711.tmp`)).toBe(false);
  });
});

describe('--only-failed', () => {
  test('hands the report to the library', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    await writeFile(path, JSON.stringify(PARTIAL));
    const { context, given } = ending();
    expect(await runProgram(context, ['sync', 'm.yaml', '--only-failed', path])).toBe(0);
    expect(given[0]?.onlyFailed).toEqual(JSON.parse(JSON.stringify(PARTIAL)));
  });

  test('is named again where tags have failed again', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    await writeFile(path, JSON.stringify(PARTIAL));
    const { context } = ending(reportOf('failed', [failedTag('1.24')]));
    await runProgram(context, ['sync', 'm.yaml', '--only-failed', path]);
    expect(context.stderr.lines.at(-1)).toContain(`longshore sync m.yaml --only-failed ${path}`);
  });

  test.each([
    ['no JSON', 'version: 1'],
    ['another version', JSON.stringify({ ...PARTIAL, version: 2 })],
    ['no tags', JSON.stringify({ ...PARTIAL, tags: 1 })],
    ['a tag without a source', JSON.stringify({ ...PARTIAL, tags: [{ tag: 'a' }] })],
    ['an unknown status', JSON.stringify(reportOf('done', [reportTag('1', 'lost' as 'failed')]))],
  ])('refuses a file that is no report: %s', async (_name, text) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    await writeFile(path, text);
    const { context, runCount } = ending();
    expect(await runProgram(context, ['sync', 'm.yaml', '--only-failed', path])).toBe(2);
    expect(context.stderr.text).toContain('is no report of longshore sync');
    expect(runCount()).toBe(0);
  });

  test('refuses a file that is not there', async () => {
    const { context } = ending();
    expect(await runProgram(context, ['sync', 'm.yaml', '--only-failed', '/nowhere'])).toBe(2);
    expect(context.stderr.text).toContain('cannot read the file of --only-failed');
  });
});

describe('what is asked for', () => {
  test('reaches the library, and what is not given is left to it', async () => {
    const env = { HOME: '/home/user', REGISTRY_PASSWORD: 'hush' };
    const { context, given } = setUpSync(telling(DONE), {}, { env });
    await runProgram(context, ['sync', 'm.yaml']);
    const words =
      'sync m.yaml --images-in-flight 7 --memory 64 --workers 2 --part-size 8 --no-resume ' +
      '--no-cache --layers-in-flight 3 --attempts 4';
    await runProgram(context, words.split(' '));
    const signals = {
      signal: expect.any(AbortSignal) as AbortSignal,
      drainSignal: expect.any(AbortSignal) as AbortSignal,
    };
    expect(given).toEqual([
      {
        ...signals,
        environment: env,
        uploader: { resumeDirectory: '/home/user/.local/state/longshore' },
        cacheDirectory: '/home/user/.cache/longshore',
      },
      {
        ...signals,
        environment: env,
        imagesInFlight: 7,
        uploader: {
          bytesInMemoryMax: 64 * 1024 ** 2,
          workersMax: 2,
          partSizeBytes: 8 * 1024 ** 2,
          layersInFlight: 3,
          attemptsMax: 4,
        },
      },
    ]);
  });

  test.each([
    [{ XDG_CACHE_HOME: '/cache', HOME: '/h' }, 'linux', '/cache/longshore'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, 'linux', '/h/.cache/longshore'],
    [{}, 'linux', undefined],
  ] as const)('the cache with %j on %s is in %s', async (env, platform, expected) => {
    const { context, given } = setUpSync(telling(DONE), {}, { env, platform });
    await runProgram(context, ['sync', 'm.yaml']);
    expect(given[0]?.cacheDirectory).toBe(expected);
  });

  test('a folder that is named goes before', async () => {
    const { context, given } = setUpSync(telling(DONE), {}, { env: { HOME: '/h' } });
    const words = ['sync', 'm.yaml', '--cache-directory', 'c', '--resume-directory', 'r'];
    await runProgram(context, words);
    expect(given[0]).toMatchObject({ cacheDirectory: 'c', uploader: { resumeDirectory: 'r' } });
  });

  test.each([
    ['', "missing required argument 'FILE'"],
    ['m.yaml --all', '--all belongs to --dry-run'],
    ['m.yaml --listen 9090', '--listen belongs to --watch'],
    ['m.yaml --watch 5m --dry-run', '--watch makes no sense with --dry-run'],
    ['m.yaml --watch 5m --only-failed r', '--only-failed makes no sense with --watch'],
    ['m.yaml --dry-run --report r', '--report makes no sense with --dry-run'],
    ['m.yaml --import skopeo --json', '--json makes no sense with --import'],
    ['m.yaml --import crane', 'Allowed choices are skopeo, regsync'],
    ['m.yaml --watch 15', 'Expected a time such as 90s, 15m or 6h'],
    ['m.yaml --watch 0s', 'Expected a time such as 90s, 15m or 6h'],
    ['m.yaml --watch 169h', 'at most 168h'],
    ['m.yaml --watch 1m --listen a:b', 'Expected HOST:PORT'],
    ['m.yaml --watch 1m --listen 1:65536', 'Expected HOST:PORT'],
    ['m.yaml --images-in-flight 0', 'Expected a whole number from 1 to 256'],
  ])('sync %s is refused', async (words, message) => {
    const { context, runCount } = ending();
    const given = words.split(' ').filter((word) => word !== '');
    expect(await runProgram(context, ['sync', ...given])).toBe(2);
    expect(context.stderr.text).toContain(message);
    expect(context.stderr.text).toContain('see: longshore sync --help');
    expect(runCount()).toBe(0);
  });
});

describe('--import', () => {
  test('prints our configuration, and what is lost to standard error', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'skopeo.yaml');
    await writeFile(path, 'registry.example.com: {}');
    const texts: string[] = [];
    const { context } = setUpSync(telling(DONE), {
      importSkopeo: (text) => {
        texts.push(text);
        return { text: 'version: 1\n', notes: ['tls-verify is not taken over'] };
      },
    });
    expect(await runProgram(context, ['sync', path, '--import', 'skopeo'])).toBe(0);
    expect(texts).toEqual(['registry.example.com: {}']);
    expect(context.stdout.text).toBe('version: 1\n');
    expect(context.stderr.text).toBe('note: tls-verify is not taken over\n');
  });

  test('takes the files of regsync by their own rules', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'regsync.yaml');
    await writeFile(path, 'version: 1');
    const importRegsync = (): { text: string; notes: string[] } => ({ text: 'ours', notes: [] });
    const { context } = setUpSync(telling(DONE), { importRegsync });
    expect(await runProgram(context, ['sync', path, '--import', 'regsync'])).toBe(0);
    expect(context.stdout.text).toBe('ours\n');
    expect(context.stderr.text).toBe('');
  });

  test('refuses a file that is not there', async () => {
    const { context } = ending();
    expect(await runProgram(context, ['sync', '/nowhere', '--import', 'skopeo'])).toBe(2);
    expect(context.stderr.text).toContain('cannot read the file to import');
  });
});
