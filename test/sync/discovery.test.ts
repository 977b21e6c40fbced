import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { LongshoreError } from '../../src/errors.ts';
import { Destination } from '../../src/sync/destination.ts';
import { DigestCache } from '../../src/sync/digest-cache.ts';
import { Discovery } from '../../src/sync/discovery.ts';
import type { ImageJob } from '../../src/sync/image-job.ts';
import type { SourceRepositories } from '../../src/sync/source-repository.ts';
import type { SyncMapping } from '../../src/sync/sync-config.ts';
import type { PlannedSyncTag } from '../../src/sync/sync-plan.ts';
import type { SyncReport } from '../../src/sync/sync-report.ts';
import { WantedTags } from '../../src/sync/wanted-tags.ts';
import { fakeSource, fakeSources } from './fake-source.ts';
import { FakeTarget } from './fake-target.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const app = 'registry.example/team/app';

interface Found {
  readonly tags: readonly PlannedSyncTag[];
  readonly jobs: readonly ImageJob[];
  readonly listed: readonly string[];
  readonly failed: readonly string[];
}

interface DiscoverOptions {
  readonly mappings: readonly SyncMapping[];
  readonly sources: SourceRepositories;
  readonly targets: readonly FakeTarget[];
  readonly onlyFailed?: SyncReport;
  readonly digests?: DigestCache;
  readonly signal?: AbortSignal;
  readonly onTags?: () => Promise<void>;
}

async function discover(options: DiscoverOptions): Promise<Found> {
  const { mappings, sources, targets, onlyFailed, signal = new AbortController().signal } = options;
  const destinations = new Map(targets.map((target) => [target.name, new Destination(target)]));
  const found = {
    tags: [] as PlannedSyncTag[],
    jobs: [] as ImageJob[],
    listed: [] as string[],
    failed: [] as string[],
  };
  const discovery = new Discovery(
    {
      config: { targets: {}, mappings },
      sources,
      destinations,
      digests: options.digests ?? (await DigestCache.open()),
      wanted: onlyFailed && new WantedTags(onlyFailed),
      onListed: async (source, tagCount, keptCount) => {
        found.listed.push(`${source} ${tagCount} ${keptCount}`);
        await Promise.resolve();
      },
      onFailed: async (source) => {
        found.failed.push(source);
        await Promise.resolve();
      },
      onTags: async (tags) => {
        await options.onTags?.();
        found.tags.push(...tags);
      },
      onJob: async (job) => {
        found.jobs.push(job);
        await Promise.resolve();
      },
    },
    signal,
  );
  await discovery.run();
  return found;
}

/** `tag target action reason`, sorted. */
function decisions({ tags }: Found): readonly string[] {
  return tags
    .map(({ source, tag, target, action, reason }) =>
      [source.split('/').at(-1), tag, target ?? '-', action, reason].join(' '),
    )
    .toSorted((a, b) => a.localeCompare(b));
}

function someTags(count: number): Map<string, Digest> {
  return new Map(Array.from({ length: count }, (_, index) => [`v${index}`, digestOf(index)]));
}

describe('looking at sources and targets', () => {
  test('asks a target about a hundred tags at once: 10,000 take 100 calls', async () => {
    const tags = someTags(10_000);
    const source = fakeSource({ tags });
    const images = Object.fromEntries(
      [...tags].map(([tag, digest]) => [`team/app:${tag}`, digest]),
    );
    const targets = ['one', 'two'].map((name) => new FakeTarget(name, { images }));
    const found = await discover({
      mappings: [{ from: app }],
      sources: fakeSources({ [app]: [source] }),
      targets,
    });
    expect(targets.map(({ reads }) => reads.length)).toEqual([100, 100]);
    expect(targets.map(({ immutableCalls }) => immutableCalls)).toEqual([0, 0]);
    expect(Math.max(...targets.flatMap(({ reads }) => reads.map((some) => some.length)))).toBe(100);
    expect(source.counts).toEqual({ lists: 1, resolves: 10_000 });
    expect(found.tags).toHaveLength(20_000);
    expect(new Set(found.tags.map(({ reason }) => reason))).toEqual(new Set(['unchanged']));
    expect(found.jobs).toEqual([]);
  });

  test('makes one job of an image, with its tags, for all targets that want it', async () => {
    const tags = new Map([
      ['a', digestOf(1)],
      ['b', digestOf(1)],
      ['c', digestOf(2)],
    ]);
    const two = new FakeTarget('two', { images: { 'team/app:a': digestOf(1) } });
    const found = await discover({
      mappings: [{ from: app }],
      sources: fakeSources({ [app]: [fakeSource({ tags })] }),
      targets: [new FakeTarget('one'), two],
    });
    const jobs = found.jobs.map(({ digest, deliveries }) => [
      digest,
      deliveries.map((delivery) => [
        delivery.destination.target.name,
        delivery.tags.map(({ tag }) => tag).join(','),
      ]),
    ]);
    expect(jobs).toEqual([
      [
        digestOf(1),
        [
          ['one', 'a,b'],
          ['two', 'b'],
        ],
      ],
      [
        digestOf(2),
        [
          ['one', 'c'],
          ['two', 'c'],
        ],
      ],
    ]);
  });

  test('tells of every tag, also of those that a filter keeps away', async () => {
    const found = await discover({
      mappings: [{ from: app, tags: { include: ['v*'], exclude: ['v1'] } }],
      sources: fakeSources({
        [app]: [fakeSource({ tags: new Map([...someTags(3), ['latest', digestOf(9)]]) })],
      }),
      targets: [new FakeTarget('one', { images: { 'team/app:v2': digestOf(7) } })],
    });
    expect(decisions(found)).toEqual([
      'app latest - skip filtered',
      'app v0 one copy new',
      'app v1 - skip filtered',
      'app v2 one copy moved',
    ]);
    expect(found.tags.find(({ tag }) => tag === 'v1')?.detail).toBe('exclude `v1`');
    expect(found.listed).toEqual([`${app} 4 2`]);
  });

  test('lists nothing where a mapping names its tags', async () => {
    const source = fakeSource({ tags: someTags(3) });
    const found = await discover({
      mappings: [{ from: app, tags: { include: ['v1', 'gone'] } }],
      sources: fakeSources({ [app]: [source] }),
      targets: [new FakeTarget('one')],
    });
    expect(source.counts.lists).toBe(0);
    expect(decisions(found)).toEqual(['app gone one fail unreadable', 'app v1 one copy new']);
  });

  test('does not ask the source about tags that never move and are in every target', async () => {
    const source = fakeSource({ tags: someTags(3) });
    const everywhere = { 'team/app:v0': digestOf(100), 'team/app:v1': digestOf(1) };
    const found = await discover({
      mappings: [{ from: app, immutableTags: ['v*'] }],
      sources: fakeSources({ [app]: [source] }),
      targets: [
        new FakeTarget('one', { images: everywhere }),
        new FakeTarget('two', { images: { 'team/app:v0': digestOf(100) } }),
      ],
    });
    expect(source.counts.resolves).toBe(2);
    expect(decisions(found)).toEqual([
      'app v0 one skip kept',
      'app v0 two skip kept',
      'app v1 one skip kept',
      'app v1 two copy new',
      'app v2 one copy new',
      'app v2 two copy new',
    ]);
  });

  test('tells beforehand of tags that a target does not let be moved', async () => {
    const found = await discover({
      mappings: [{ from: app }],
      sources: fakeSources({ [app]: [fakeSource({ tags: someTags(3) })] }),
      targets: [
        new FakeTarget('one', {
          images: { 'team/app:v0': digestOf(50), 'team/app:v1': digestOf(1) },
          immutable: ['team/app:v0', 'team/app:v1', 'team/app:v2'],
        }),
      ],
    });
    expect(decisions(found)).toEqual([
      'app v0 one fail immutable-conflict',
      'app v1 one skip unchanged',
      'app v2 one copy new',
    ]);
    expect(found.jobs.map(({ digest }) => digest)).toEqual([digestOf(2)]);
  });

  test('with a choice of platforms compares with what was learnt, and without it has a look', async () => {
    const digests = await DigestCache.open();
    digests.set(digestOf(1), ['linux/amd64'], digestOf(101));
    const images = { 'team/app:v1': digestOf(101), 'team/app:v2': digestOf(102) };
    const found = await discover({
      mappings: [{ from: app, platforms: ['linux/amd64'] }],
      sources: fakeSources({ [app]: [fakeSource({ tags: someTags(3) })] }),
      targets: [new FakeTarget('one', { images, immutable: ['team/app:v2'] })],
      digests,
    });
    expect(decisions(found)).toEqual([
      'app v0 one copy new',
      'app v1 one skip unchanged',
      'app v2 one copy moved',
    ]);
  });
});

describe('what cannot be looked at', () => {
  const failure = new LongshoreError('E_SOURCE_DENIED', 'no entry', {
    source: 'x',
    registryHost: 'y',
  });

  test('is one tag, if the source fails for one tag', async () => {
    const source = fakeSource({ tags: someTags(2), resolveFailures: new Map([['v0', failure]]) });
    const found = await discover({
      mappings: [{ from: app }],
      sources: fakeSources({ [app]: [source] }),
      targets: [new FakeTarget('one'), new FakeTarget('two')],
    });
    expect(decisions(found)).toEqual([
      'app v0 one fail unreadable',
      'app v0 two fail unreadable',
      'app v1 one copy new',
      'app v1 two copy new',
    ]);
    expect(found.tags.find(({ tag }) => tag === 'v0')?.code).toBe('E_SOURCE_DENIED');
  });

  test('is one target, which keeps no other from its images', async () => {
    const found = await discover({
      mappings: [{ from: app }],
      sources: fakeSources({ [app]: [fakeSource({ tags: someTags(1) })] }),
      targets: [new FakeTarget('one', { readFailure: failure }), new FakeTarget('two')],
    });
    expect(decisions(found)).toEqual(['app v0 one fail unreadable', 'app v0 two copy new']);
    expect(found.jobs.flatMap(({ deliveries }) => deliveries)).toHaveLength(1);
  });

  test('is one source, by a star, once a target', async () => {
    const other = fakeSource({ name: 'registry.example/team/other', tags: someTags(1) });
    const found = await discover({
      mappings: [{ from: ['x/*'] }],
      sources: fakeSources({
        'x/*': [fakeSource({ tags: someTags(1), listFailure: failure }), other],
      }),
      targets: [new FakeTarget('one'), new FakeTarget('two')],
    });
    expect(decisions(found)).toEqual([
      'app * one fail unreadable',
      'app * two fail unreadable',
      'other v0 one copy new',
      'other v0 two copy new',
    ]);
    expect(found.failed).toEqual([app]);
  });

  test('is a pattern that matches nothing: a mirror that does nothing would look healthy', async () => {
    const found = await discover({
      mappings: [{ from: 'registry.example/mirror/*' }],
      sources: fakeSources({ 'registry.example/mirror/*': [] }),
      targets: [new FakeTarget('one')],
    });
    expect(decisions(found)).toEqual(['* * one fail unreadable']);
    expect(found.tags[0]).toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      detail: expect.stringContaining('matches no repository') as unknown,
    });
  });

  test('is the rest of a pattern, whose first repositories are copied all the same', async () => {
    const found = await discover({
      mappings: [{ from: 'registry.example/*' }],
      sources: fakeSources({
        'registry.example/*': [fakeSource({ tags: someTags(1) }), failure],
      }),
      targets: [new FakeTarget('one')],
    });
    expect(decisions(found)).toEqual(['* * one fail unreadable', 'app v0 one copy new']);
    expect(found.failed).toEqual(['registry.example/*']);
  });

  test('is a repository of a pattern whose name the target cannot have, and not the others', async () => {
    const long = fakeSource({ name: `registry.example/${'x'.repeat(300)}`, tags: someTags(1) });
    const found = await discover({
      mappings: [{ from: 'registry.example/*' }],
      sources: fakeSources({
        'registry.example/*': [long, fakeSource({ tags: someTags(1) })],
      }),
      targets: [new FakeTarget('one')],
    });
    expect(found.tags.map(({ tag, action, code }) => [tag, action, code])).toEqual(
      expect.arrayContaining([
        ['*', 'fail', 'E_OPTION_INVALID'],
        ['v0', 'copy', undefined],
      ]),
    );
    expect(found.tags).toHaveLength(2);
  });
});

describe('repositories', () => {
  test('that several patterns of a mapping find are looked at once, and once more by another mapping', async () => {
    const source = fakeSource({ tags: someTags(1) });
    const found = await discover({
      mappings: [{ from: ['a/*', app] }, { from: app, to: 'other' }],
      sources: fakeSources({ 'a/*': [source, source], [app]: [source] }),
      targets: [new FakeTarget('one')],
    });
    expect(found.tags.map(({ mapping, repository }) => [mapping, repository])).toEqual([
      [0, 'team/app'],
      [1, 'other'],
    ]);
  });

  test('go to the targets of their mapping only, and once to each', async () => {
    const found = await discover({
      mappings: [{ from: app, to: 'mirror/{name}', targets: ['two', 'two'] }],
      sources: fakeSources({ [app]: [fakeSource({ tags: someTags(1) })] }),
      targets: [new FakeTarget('one'), new FakeTarget('two')],
    });
    expect(found.tags.map(({ target, repository }) => [target, repository])).toEqual([
      ['two', 'mirror/app'],
    ]);
  });
});

describe('a run for what an earlier one left', () => {
  const entry = { mapping: 0, source: app, repository: 'team/app' };

  test('looks at the tags that failed, where they failed', async () => {
    const source = fakeSource({ tags: someTags(200) });
    const done = fakeSource({ name: 'registry.example/team/done', tags: someTags(5) });
    const two = new FakeTarget('two');
    const found = await discover({
      mappings: [{ from: 'registry.example/*' }],
      sources: fakeSources({ 'registry.example/*': [source, done] }),
      targets: [new FakeTarget('one'), two],
      onlyFailed: reportOf([
        { ...entry, tag: 'v1', target: 'one', status: 'failed' },
        { ...entry, tag: 'v2', target: 'two', status: 'not-started' },
        { ...entry, tag: 'v3', target: 'one', status: 'copied' },
        { ...entry, source: done.name, tag: 'v1', target: 'one', status: 'skipped' },
      ]),
    });
    expect(decisions(found)).toEqual([
      'app v1 one copy new',
      'app v1 two skip filtered',
      'app v2 one skip filtered',
      'app v2 two copy new',
    ]);
    expect(source.counts).toEqual({ lists: 0, resolves: 2 });
    expect(two.reads).toEqual([['v1', 'v2']]);
  });
});

test('an abort ends it, and nothing is told any more once it has ended', async () => {
  const end = new AbortController();
  const reason = new Error('enough');
  const told: string[] = [];
  let isOver = false;
  const running = discover({
    mappings: [{ from: 'a/*' }],
    sources: fakeSources({
      'a/*': Array.from({ length: 50 }, (_, index) =>
        fakeSource({ name: `registry.example/app${index}`, tags: someTags(300) }),
      ),
    }),
    targets: [new FakeTarget('one')],
    signal: end.signal,
    onTags: async () => {
      end.abort(reason);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(isOver ? 'late' : 'in time');
    },
  });
  await expect(running).rejects.toBe(reason);
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  expect(told.length).toBeGreaterThan(0);
  expect(told).not.toContain('late');
});

function reportOf(
  tags: readonly Pick<
    SyncReport['tags'][number],
    'mapping' | 'source' | 'repository' | 'tag' | 'target' | 'status'
  >[],
): SyncReport {
  return { version: 1, tags } as unknown as SyncReport;
}
