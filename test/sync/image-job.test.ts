import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Destination } from '../../src/sync/destination.ts';
import { type ImageJob, jobsOf } from '../../src/sync/image-job.ts';
import { findPlannedJobs } from '../../src/sync/planned-jobs.ts';
import type { SyncConfig } from '../../src/sync/sync-config.ts';
import type { PlannedSyncTag } from '../../src/sync/sync-plan.ts';
import { fakeSource, fakeSources } from './fake-source.ts';
import { FakeTarget } from './fake-target.ts';
import { digestOf, plannedTag } from './planned-tag.ts';

const [one, two] = ['one', 'two'].map((name) => new Destination(new FakeTarget(name)));
if (one === undefined || two === undefined) throw new Error('there are two');
const destinations = new Map([
  ['one', one],
  ['two', two],
]);
const [app, web] = ['app', 'web'].map((name) => fakeSource({ name: `registry.example/${name}` }));
if (app === undefined || web === undefined) throw new Error('there are two');
const sources = fakeSources({ all: [app, web] });
const config: SyncConfig = {
  targets: {},
  mappings: [{ from: 'first' }, { from: 'second', referrers: true }],
};

function tagOf(tag: string, fields: Partial<PlannedSyncTag> = {}): PlannedSyncTag {
  return plannedTag(tag, { source: app?.name ?? '', ...fields });
}

/** `mapping source digest: target/repository tags; ...` */
function shown({ mapping, source, digest, deliveries }: ImageJob): string {
  const position = config.mappings.indexOf(mapping);
  const all = deliveries.map(
    ({ destination, repository, tags }) =>
      `${destination.target.name}/${repository} ${tags.map(({ tag }) => tag).join(',')}`,
  );
  return `${position} ${source.repository} ${Number(digest.slice(7))}: ${all.join('; ')}`;
}

function planned(tags: readonly PlannedSyncTag[]): string[] {
  return [...findPlannedJobs({ config, tags, targets: [] }, sources, destinations)].map(shown);
}

describe('the images of a plan', () => {
  test('are one job each, with all tags of each target', () => {
    expect(
      planned([
        tagOf('a'),
        tagOf('b', { sourceDigest: digestOf(2) }),
        tagOf('c'),
        tagOf('a', { target: 'two' }),
        tagOf('d', { target: 'two', repository: 'other' }),
      ]),
    ).toEqual(['0 app 1: one/app a,c; two/app a; two/other d', '0 app 2: one/app b']);
  });

  test('are apart by mapping and source, also where they are the same', () => {
    expect(
      planned([
        tagOf('a'),
        tagOf('b', { mapping: 1 }),
        tagOf('c', { source: web?.name ?? '' }),
        tagOf('d', { mapping: 1 }),
      ]),
    ).toEqual(['0 app 1: one/app a', '1 app 1: one/app b,d', '0 web 1: one/app c']);
  });

  test('are none for tags with nothing to do, or of targets and mappings that are gone', () => {
    expect(
      planned([
        tagOf('a', { action: 'skip' }),
        tagOf('b', { action: 'fail' }),
        tagOf('c', { target: 'three' }),
        tagOf('d', { target: undefined }),
        tagOf('e', { mapping: 7 }),
        tagOf('f', { sourceDigest: undefined }),
        tagOf('g', { repository: undefined }),
      ]),
    ).toEqual([]);
  });

  test('have each tag to copy once', () => {
    const anyTag = fc.record({
      target: fc.constantFrom('one', 'two'),
      repository: fc.constantFrom('app', 'web'),
      action: fc.constantFrom('copy' as const, 'copy' as const, 'skip' as const),
      image: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(anyTag, { maxLength: 40 }), (all) => {
        const tags = all.map(({ image, ...fields }, index) => ({
          planned: tagOf(String(index), { ...fields, sourceDigest: digestOf(image) }),
          destination: fields.target === 'one' ? one : two,
        }));
        const jobs = jobsOf({ from: 'a' }, app, tags);
        const got = jobs.flatMap(({ digest, deliveries }) =>
          deliveries.flatMap(({ destination, repository, tags: own }) =>
            own.map((tag) => {
              expect(tag).toMatchObject({ sourceDigest: digest, repository });
              expect(tag.target).toBe(destination.target.name);
              return tag;
            }),
          ),
        );
        const wanted = tags.flatMap((tag) => (tag.planned.action === 'copy' ? [tag.planned] : []));
        expect(got).toHaveLength(wanted.length);
        expect(new Set(got)).toEqual(new Set(wanted));
        expect(new Set(jobs.map(({ digest }) => digest)).size).toBe(jobs.length);
      }),
    );
  });
});
