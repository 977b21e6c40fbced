import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TagFilter } from '../../src/sync/sync-config.ts';
import { compileTagFilter, literalTags, matchesAny } from '../../src/sync/tag-filter.ts';

const TAGS = [
  'latest',
  'edge',
  '1',
  '1.26',
  '1.27',
  '1.27.0',
  '1.27.3',
  'v1.28.0',
  '1.28.0-rc.1',
  '1.27.3-alpine',
  '2.0.0',
];

function keptOf(filter: TagFilter, tags: readonly string[] = TAGS): readonly string[] {
  return compileTagFilter(filter)
    .choose(tags)
    .flatMap(({ tag, rule }) => (rule === undefined ? [tag] : []));
}

function ruleOf(
  filter: TagFilter,
  tag: string,
  tags: readonly string[] = TAGS,
): string | undefined {
  return compileTagFilter(filter)
    .choose(tags)
    .find((choice) => choice.tag === tag)?.rule;
}

describe('what a filter takes', () => {
  test.each<[string, TagFilter, readonly string[]]>([
    ['everything, if it says nothing', {}, TAGS],
    ['plain tags, a dot for a dot', { include: ['1.27', 'edge', '1x27'] }, ['edge', '1.27']],
    [
      'globs',
      { include: ['1.27*', '[e-f]dge'] },
      ['edge', '1.27', '1.27.0', '1.27.3', '1.27.3-alpine'],
    ],
    ['alternatives', { include: ['{latest,2.?.0}'] }, ['latest', '2.0.0']],
    ['whole tags by expressions', { regex: ['1\\.2[67]', 'dge'] }, ['1.26', '1.27']],
    ['each side of an alternative as a whole', { regex: ['1|lat'] }, ['1']],
    [
      'partial versions as whole ones',
      { semver: '>=1.27' },
      ['1.27', '1.27.0', '1.27.3', 'v1.28.0', '2.0.0'],
    ],
    [
      'prereleases of a range where they are wanted',
      { semver: '~1.28.0-0', prereleases: true },
      ['v1.28.0', '1.28.0-rc.1'],
    ],
    [
      'the sum of include, regex and semver',
      { include: ['edge'], regex: ['lat.*'], semver: '2' },
      ['latest', 'edge', '2.0.0'],
    ],
    [
      'nothing that is excluded',
      { include: ['1*'], exclude: ['*-*', '1'] },
      ['1.26', '1.27', '1.27.0', '1.27.3'],
    ],
    ['the newest versions before names', { newest: 3 }, ['v1.28.0', '1.28.0-rc.1', '2.0.0']],
    [
      'the newest of what is left',
      { include: ['1.*'], exclude: ['*-*'], newest: 2 },
      ['1.27.0', '1.27.3'],
    ],
  ])('%s', (_what, filter, kept) => {
    expect(keptOf(filter)).toEqual(kept);
  });

  test('an exclamation mark and other signs of shells mean nothing', () => {
    expect(keptOf({ include: ['!latest', '@(edge)', '+(1)'] })).toEqual([]);
  });
});

describe('the rule that keeps a tag away, in words', () => {
  test.each<[TagFilter, string, string]>([
    [{ exclude: ['rc', '*-alpine'] }, '1.27.3-alpine', 'exclude `*-alpine`'],
    [{ semver: '>=1.20' }, 'edge', 'not in semver >=1.20'],
    [
      { include: ['1.*'], regex: ['v.*'], semver: '>3' },
      'edge',
      'matches none of include 1.*, regex v.*, semver >3',
    ],
    [{ newest: 10 }, 'edge', 'older than the newest 10'],
  ])('%j', (filter, tag, rule) => {
    expect(ruleOf(filter, tag)).toBe(rule);
  });
});

describe('the order of tags', () => {
  const newest = (count: number, tags: readonly string[]): readonly string[] =>
    keptOf({ newest: count }, tags);

  test.each<[string, readonly string[], string]>([
    ['numbers, not characters', ['1.9', '1.10'], '1.10'],
    ['a leading v is nothing', ['v1.2.0', '1.3.0', 'v1.2.9'], '1.3.0'],
    ['leading zeros are nothing', ['20.04', '20.10', '20.9'], '20.10'],
    ['equal versions go by name', ['1.27', '1.27.0'], '1.27.0'],
    ['a release comes after its prereleases', ['1.0.0-rc.1', '1.0.0'], '1.0.0'],
    ['a commit without letters is no version', ['1234567', '1.0.0'], '1.0.0'],
    ['a date is no version', ['20240101', '1.0.0'], '1.0.0'],
    ['dates go by name', ['20240101', '20250101', '20231231'], '20250101'],
    ['four numbers are a name', ['1.2.3.4', '0.1'], '0.1'],
  ])('%s', (_what, tags, first) => {
    expect(newest(1, tags)).toEqual([first]);
    expect(newest(1, tags.toReversed())).toEqual([first]);
  });
});

describe('which filters need no list of tags', () => {
  test.each<[TagFilter, readonly string[] | undefined]>([
    [{ include: ['1.27', 'latest', '1.27'], exclude: ['x*'] }, ['1.27', 'latest']],
    [{}, undefined],
    [{ include: [] }, undefined],
    [{ exclude: ['a'] }, undefined],
    [{ include: ['1.27', '1.*'] }, undefined],
    [{ include: ['1.27'], regex: ['a'] }, undefined],
    [{ include: ['1.27'], semver: '1' }, undefined],
    [{ include: ['1.27'], newest: 1 }, undefined],
  ])('%j', (filter, literal) => {
    expect(literalTags(filter)).toEqual(literal);
    expect(compileTagFilter(filter).literal).toEqual(literal);
  });
});

test('globs of immutable tags are asked one by one', () => {
  const globs = ['v*', '1.2.3'];
  expect(['v1', '1.2.3', '1x2x3', 'latest'].map((tag) => matchesAny(globs, tag))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(matchesAny([], 'v1')).toBe(false);
});

describe('whatever the tags and the filter', () => {
  const tag = fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(12), fc.nat(3)).map((numbers) => numbers.join('.')),
    fc.tuple(fc.nat(3), fc.nat(12)).map(([major, minor]) => `v${major}.${minor}`),
    fc.stringMatching(/^[ab1][ab1.-]{0,4}$/),
  );
  const tags = fc.array(tag, { maxLength: 40 });
  const glob = fc.constantFrom('1.*', '*a*', 'v?.*', '[ab]*', '{1,a}*', 'a');
  const list = fc.array(glob, { minLength: 1, maxLength: 3 });
  const filter = fc.record(
    {
      include: list,
      exclude: list,
      regex: fc.array(fc.constantFrom('a.*', '\\d+', 'v1.*'), { minLength: 1, maxLength: 2 }),
      semver: fc.constantFrom('>=1.2', '~1.1', '<2 || 3'),
      newest: fc.integer({ min: 1, max: 5 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<TagFilter>;

  test('each tag is decided once, and the order they come in changes nothing', () => {
    fc.assert(
      fc.property(filter, tags, (rules, given) => {
        const choices = compileTagFilter(rules).choose(given);
        expect(choices.map((choice) => choice.tag)).toEqual([...new Set(given)]);
        const byName = new Map(choices.map((choice) => [choice.tag, choice.rule]));
        for (const choice of compileTagFilter(rules).choose(given.toReversed())) {
          expect(choice.rule).toBe(byName.get(choice.tag));
        }
      }),
    );
  });

  test('what is excluded is never kept, and no more than the newest are', () => {
    fc.assert(
      fc.property(filter, tags, (rules, given) => {
        const kept = keptOf(rules, given);
        expect(kept.filter((one) => matchesAny(rules.exclude ?? [], one))).toEqual([]);
        const { newest: count, ...others } = rules;
        const candidates = keptOf(others, given);
        expect(kept.length).toBe(Math.min(candidates.length, count ?? Infinity));
        expect(candidates).toEqual(expect.arrayContaining([...kept]));
      }),
    );
  });

  test('one more rule to include never takes a tag away', () => {
    fc.assert(
      fc.property(list, glob, tags, (include, more, given) => {
        const wider = keptOf({ include: [...include, more] }, given);
        expect(wider).toEqual(expect.arrayContaining([...keptOf({ include }, given)]));
      }),
    );
  });
});
