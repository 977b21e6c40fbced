import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/image/platform.ts';

const word = fc.stringMatching(/^[a-z0-9_.-]{1,12}$/);
const anyPlatform = fc
  .tuple(word, word, fc.option(word, { nil: undefined }))
  .map(([os, architecture, variant]) => ({
    os,
    architecture,
    ...(variant !== undefined && { variant }),
  }));

describe('a platform', () => {
  test('is read back as it is written', () => {
    fc.assert(
      fc.property(anyPlatform, (platform) => {
        expect(parsePlatform(formatPlatform(platform))).toEqual(platform);
      }),
    );
  });

  test('is what it matches', () => {
    fc.assert(
      fc.property(anyPlatform, anyPlatform, (one, other) => {
        expect(matchesPlatform(one, one)).toBe(true);
        expect(matchesPlatform(one, other)).toBe(matchesPlatform(other, one));
      }),
    );
  });

  test.each(['', 'linux', 'linux/', '/amd64', 'linux/amd64/', 'a/b/c/d', 'Linux/amd64', 'a b/c'])(
    '%j is none',
    (text) => expect(parsePlatform(text)).toBeUndefined(),
  );

  test('of any text is a platform or none, in no time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        const found = parsePlatform(text);
        expect(found === undefined ? text : formatPlatform(found)).toBe(text);
      }),
    );
    expect(parsePlatform('a/'.repeat(100_000))).toBeUndefined();
  });

  test('of Windows is written with its version, which is not asked for', () => {
    const windows = { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348' };
    expect(formatPlatform(windows)).toBe('windows/amd64 (10.0.20348)');
    expect(matchesPlatform({ os: 'windows', architecture: 'amd64' }, windows)).toBe(true);
  });

  test.each([
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/amd64', 'linux/amd64/v1', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/amd64', 'linux/amd64/v3', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/constructor', 'linux/constructor/v1', false],
  ])('%s and %s: the same is %s', (one, other, isSame) => {
    const [first, second] = [parsePlatform(one), parsePlatform(other)];
    if (first === undefined || second === undefined) throw new Error('no platform');
    expect(matchesPlatform(first, second)).toBe(isSame);
  });
});
