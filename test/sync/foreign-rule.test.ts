import { describe, expect, test } from 'vitest';
import {
  globOf,
  hasOuterAlternatives,
  literalOf,
  translateExactRange,
  translateRange,
  translateRegex,
  wholeRegex,
} from '../../src/sync/foreign-rule.ts';

describe('an expression of RE2', () => {
  test.each([
    [String.raw`v\d+\.\d+`, String.raw`v\d+\.\d+`],
    [String.raw`a\-b\_c`, 'a-b_c'],
    [String.raw`[a\-z]`, String.raw`[a\-z]`],
    [String.raw`\Av1\z`, '^v1$'],
    ['(?P<major>1)', '(?<major>1)'],
    ['[[:digit:][:alpha:]_]+', '[0-9A-Za-z_]+'],
    ['[]a]', String.raw`[\]a]`],
    ['[^]a]', String.raw`[^\]a]`],
    ['[a[b]', String.raw`[a\[b]`],
  ])('%s is %s', (source, own) => {
    expect(translateRegex(source)).toBe(own);
  });

  test.each(['(?i)a', String.raw`\Qa\E`, '[[:punct:]]', '(', '{', String.raw`a\z|[\z]`])(
    '%s has no counterpart',
    (source) => {
      expect(translateRegex(source)).toBeUndefined();
    },
  );

  test.each<[string, string, string, boolean]>([
    ['^1$', '1', '1', true],
    ['^1', '1.*', '12', true],
    ['1$', '.*1', '21', true],
    ['1', '.*1.*', '212', true],
    [String.raw`1\$`, String.raw`.*1\$.*`, '1', false],
    ['^a|b$', '.*(?:^a|b$).*', 'xb', true],
  ])('%s, which may match anywhere, is %s for whole tags', (source, own, tag, isMatch) => {
    expect(wholeRegex(source)).toBe(own);
    expect(new RegExp(`^(?:${own})$`, 'u').test(tag)).toBe(isMatch);
    expect(new RegExp(source, 'u').test(tag)).toBe(isMatch);
  });
});

test.each([
  ['a|b', true],
  ['(a|b)', false],
  ['[a|b]', false],
  [String.raw`a\|b`, false],
  ['(a)|b', true],
])('whether %s has alternatives outside of brackets: %s', (source, expected) => {
  expect(hasOuterAlternatives(source)).toBe(expected);
});

test.each([
  ['latest', 'latest'],
  [String.raw`3\.10`, '3.10'],
  ['3.10', '3.10'],
  ['3.', undefined],
  ['3.*', undefined],
  ['', undefined],
])('the tag that %s means is %s', (source, tag) => {
  expect(literalOf(source)).toBe(tag);
});

test.each([
  ['.*-rc.+', '*-rc?*'],
  [String.raw`1\.2.`, '1.2?'],
  ['[ab]', undefined],
  ['a+', undefined],
  ['', undefined],
])('the glob for %s is %s', (source, glob) => {
  expect(globOf(source)).toBe(glob);
});

test.each([
  ['>= 1.2, < 3', '>= 1.2 < 3'],
  ['=> 1 || =<0.5', '>= 1 || <=0.5'],
  ['!= 1', undefined],
  ['new', undefined],
  [' ', undefined],
])('the constraint %s of Masterminds/semver is %s', (constraint, range) => {
  expect(translateRange(constraint)).toBe(range);
});

test.each([
  ['>3', '>3.0.0'],
  ['~3.1', '~3.1.0'],
  ['v1.2.3-rc1', '=1.2.3-rc1'],
  ['>=1.02 <2', '>=1.2.0 <2.0.0'],
  ['1.2.3.4', undefined],
  ['*', undefined],
  ['', undefined],
])('the range %s of regsync is %s', (range, own) => {
  expect(translateExactRange(range)).toBe(own);
});
