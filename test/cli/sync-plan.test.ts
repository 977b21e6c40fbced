import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { SyncPlan } from '../../src/cli/sync-functions.ts';
import { digestOf, PLANNED_TARGET, plannedTag, reportOf } from './sync-sample.ts';
import { aborted, type SyncSetup, setUpSync, telling } from './sync-setup.ts';

const KEEPER = { source: 'ghcr.io/team/keeper', repository: 'mirror/keeper' };
const NO_TARGET = { target: undefined, repository: undefined };
type PlanWithoutConfig = Omit<SyncPlan, 'config'>;

const PLAN: PlanWithoutConfig = {
  tags: [
    plannedTag('1.25', 'new'),
    plannedTag('latest', 'moved', { previousDigest: digestOf(0xabc) }),
    plannedTag('v2', 'unchanged', KEEPER),
    plannedTag('1.24', 'unchanged'),
    plannedTag('1.0-alpha', 'filtered', { ...NO_TARGET, detail: 'exclude: *-alpha' }),
    plannedTag('1.0-beta', 'filtered', { ...NO_TARGET, detail: 'semver: >=1.20' }),
    plannedTag('v1', 'kept', KEEPER),
    plannedTag('v3', 'immutable-conflict', { ...KEEPER, code: 'E_TAG_IMMUTABLE' }),
    plannedTag('*', 'unreadable', {
      source: 'quay.io/team/gone',
      ...NO_TARGET,
      detail: 'there is no such repository',
      code: 'E_SOURCE_DENIED',
    }),
  ],
  targets: [
    PLANNED_TARGET,
    {
      ...PLANNED_TARGET,
      target: 'spare',
      uploadBlobCount: 0,
      uploadBytes: 0,
      mountBlobCount: 0,
      mountBytes: 0,
      calls: {},
      quotaMs: 0,
    },
  ],
};

function planning(plan: PlanWithoutConfig = PLAN): SyncSetup {
  return setUpSync(telling(reportOf('done', [])), {
    planSync: (config) => Promise.resolve({ ...plan, config }),
  });
}

describe('a dry run', () => {
  test('tells of each tag what would happen and why, by source, and what it takes', async () => {
    const { context, runCount } = planning();
    expect(await runProgram(context, ['sync', 'm.yaml', '--dry-run'])).toBe(3);
    expect(context.stdout.text).toBe(`\
docker.io/library/nginx
  1.25    prod/mirror/nginx  copy  new
  latest  prod/mirror/nginx  copy  moved, was 000000000abc
  1.24    prod/mirror/nginx  skip  unchanged
  2 tags filtered

ghcr.io/team/keeper
  v2  prod/mirror/keeper  skip  unchanged
  v1  prod/mirror/keeper  skip  never moves, and is there
  v3  prod/mirror/keeper  fail  the target does not let it move (E_TAG_IMMUTABLE)

quay.io/team/gone
  *  -  fail  there is no such repository (E_SOURCE_DENIED)

9 tags: 2 to copy, 5 to skip (2 filtered), 2 that cannot be copied

prod
  34 blobs to upload, 1.20 GB
  1 blob to mount, 3.40 GB
  52 calls, for which the quotas alone take 5.0 s
    BatchGetImage 12
    PutImage 40

spare
  nothing to upload
  nothing to mount
  0 calls, for which the quotas alone take less than 1 s
`);
    expect(context.stderr.text).toBe('dry run: nothing was copied\n');
    expect(runCount()).toBe(0);
  });

  test('lists filtered tags and their rules with --all', async () => {
    const { context } = planning();
    await runProgram(context, ['sync', 'm.yaml', '--dry-run', '--all']);
    expect(context.stdout.text).toContain(
      '  1.0-alpha  -                  skip  filtered: exclude',
    );
    expect(context.stdout.text).not.toContain('tags filtered');
  });

  test('with --json prints tags and targets of the plan, and not the configuration', async () => {
    const { context } = planning();
    await runProgram(context, ['sync', 'm.yaml', '--dry-run', '--json', '--quiet']);
    expect(JSON.parse(context.stdout.text)).toEqual(JSON.parse(JSON.stringify(PLAN)));
    expect(context.stderr.text).toBe('');
  });

  test('ends with 0 where everything can be copied, with 1 where nothing can', async () => {
    const nothing = planning({ tags: [plannedTag('1', 'unchanged')], targets: [] });
    expect(await runProgram(nothing.context, ['sync', 'm.yaml', '--dry-run'])).toBe(0);
    expect(nothing.context.stderr.text).toBe('dry run: there is nothing to copy\n');
    const tags = [plannedTag('1', 'unreadable'), plannedTag('2', 'filtered')];
    const failing = planning({ tags, targets: [] });
    expect(await runProgram(failing.context, ['sync', 'm.yaml', '--dry-run'])).toBe(1);
  });

  test('says why an image that is there is copied nevertheless', async () => {
    const tags = [plannedTag('1', 'unchanged', { action: 'copy' })];
    const { context } = planning({ tags, targets: [] });
    await runProgram(context, ['sync', 'm.yaml', '--dry-run']);
    expect(context.stdout.lines[1]).toMatch(/copy {2}unchanged, but what refers to it may be new$/);
  });

  test('does not let a tag or a message steer the terminal', async () => {
    const tag = plannedTag('1\u001b[2J', 'unreadable', { detail: 'a\u0007b', source: 'x\u001bc' });
    const { context } = planning({ tags: [tag], targets: [] });
    await runProgram(context, ['sync', 'm.yaml', '--dry-run']);
    expect(context.stdout.text).toBe(stripVTControlCharacters(context.stdout.text));
    expect(context.stdout.text).toContain('1?[2J');
  });

  test('ends at once with the first Ctrl-C', async () => {
    const setup = setUpSync(telling(reportOf('done', [])), {
      planSync: async (_config, options) => {
        setup.context.send('SIGINT');
        await aborted(options?.signal);
        throw options?.signal?.reason;
      },
    });
    expect(await runProgram(setup.context, ['sync', 'm.yaml', '--dry-run'])).toBe(130);
    expect(setup.context.stderr.text).toBe('interrupted: nothing was copied\n');
    expect(setup.context.signalListeners.size).toBe(0);
  });
});
