import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import type { SyncReport, SyncReportTag } from '../../src/sync/sync-report.ts';
import { WantedTags } from '../../src/sync/wanted-tags.ts';

type Told = Pick<SyncReportTag, 'source' | 'tag' | 'status'> & Partial<SyncReportTag>;

function wantedOf(...tags: readonly Told[]): WantedTags {
  const full = tags.map((tag) => ({ mapping: 0, target: 'one', repository: 'to', ...tag }));
  return new WantedTags({ version: 1, tags: full } as unknown as SyncReport);
}

const entry = (source: string, tag: string, target = 'one', repository = 'to') => ({
  source,
  tag,
  target,
  repository,
});

describe('tags that an earlier run did not bring to an end', () => {
  test('are those that failed or were not started, in their target and repository', () => {
    const wanted = wantedOf(
      { source: 'a', tag: 'failed', status: 'failed' },
      { source: 'a', tag: 'open', status: 'not-started' },
      { source: 'a', tag: 'copied', status: 'copied' },
      { source: 'b', tag: 'skipped', status: 'skipped' },
    );
    expect(wanted.hasSource('a')).toBe(true);
    expect(wanted.tagsOf('a')).toEqual(['failed', 'open']);
    expect(wanted.has(entry('a', 'failed'))).toBe(true);
    expect(wanted.has(entry('a', 'open'))).toBe(true);
    for (const other of [
      entry('a', 'copied'),
      entry('a', 'failed', 'two'),
      entry('a', 'failed', 'one', 'elsewhere'),
      entry('b', 'skipped'),
    ]) {
      expect(wanted.has(other)).toBe(false);
    }
    for (const source of ['b', 'unknown']) expect(wanted.hasSource(source)).toBe(false);
  });

  test('are all that an interrupted run had not done, also what it had not come to', () => {
    const tags = [
      { source: 'a', tag: 'copied', status: 'copied' },
      { source: 'a', tag: 'open', status: 'not-started' },
    ].map((tag) => ({ mapping: 0, target: 'one', repository: 'to', ...tag }));
    const report = { version: 1, outcome: 'interrupted', tags } as unknown as SyncReport;
    const wanted = new WantedTags(report);
    for (const source of ['a', 'unknown']) {
      expect(wanted.hasSource(source)).toBe(true);
      expect(wanted.tagsOf(source)).toBeUndefined();
    }
    expect(wanted.has(entry('a', 'copied'))).toBe(false);
    for (const one of [entry('a', 'open'), entry('a', 'later'), entry('unknown', 'v1')]) {
      expect(wanted.has(one)).toBe(true);
    }
  });

  test('are all tags of a source that could not be listed, and no others', () => {
    const wanted = wantedOf(
      { source: 'a', tag: '*', status: 'failed', repository: undefined },
      { source: 'b', tag: 'v1', status: 'failed' },
      { source: 'c', tag: 'v1', status: 'copied' },
    );
    expect(wanted.tagsOf('a')).toBeUndefined();
    expect(wanted.has(entry('a', 'any', 'two', 'anywhere'))).toBe(true);
    expect(wanted.tagsOf('b')).toEqual(['v1']);
    expect(wanted.has(entry('b', 'v2'))).toBe(false);
    expect(wanted.hasSource('c')).toBe(false);
    expect(wanted.hasSource('unknown')).toBe(false);
  });

  test('are all of a source that one mapping could list and another could not', () => {
    const wanted = wantedOf(
      { source: 'a', tag: 'v1', status: 'failed' },
      { source: 'a', tag: '*', status: 'failed', mapping: 1, repository: undefined },
    );
    expect(wanted.tagsOf('a')).toBeUndefined();
    expect(wanted.has(entry('a', 'v2'))).toBe(true);
  });

  test('are all of the sources that the report does not know, where a pattern failed', () => {
    const wanted = wantedOf(
      { source: 'quay.io/team/*', tag: '*', status: 'failed', repository: undefined },
      { source: 'docker.io/library/nginx', tag: 'v1', status: 'copied' },
      { source: 'quay.io/team/first', tag: 'v1', status: 'failed' },
    );
    expect(wanted.hasSource('quay.io/team/second')).toBe(true);
    expect(wanted.tagsOf('quay.io/team/second')).toBeUndefined();
    expect(wanted.has(entry('quay.io/team/second', 'v1'))).toBe(true);
    expect(wanted.hasSource('docker.io/library/nginx')).toBe(false);
    expect(wanted.tagsOf('quay.io/team/first')).toEqual(['v1']);
  });

  test('are refused where the report is none', () => {
    for (const report of [{}, { version: 2, tags: [] }, { version: 1 }, { version: 1, tags: {} }]) {
      let error: unknown;
      try {
        void new WantedTags(report as unknown as SyncReport);
      } catch (thrown) {
        error = thrown;
      }
      expect(LongshoreError.is(error, 'E_OPTION_INVALID')).toBe(true);
    }
  });
});
