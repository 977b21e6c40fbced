import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';

function parsed(...headers: readonly string[]): readonly (readonly [string, object])[] {
  return parseChallenges(headers).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

describe('a challenge', () => {
  test('has a scheme and parameters', () => {
    const header =
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",' +
      'scope="repository:library/alpine:pull"';
    expect(parsed(header)).toEqual([
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/alpine:pull',
        },
      ],
    ]);
  });

  test.each([
    ['without parameters', 'Negotiate', [['negotiate', {}]]],
    [
      'without parameters before another',
      'Negotiate, Basic realm=x',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'with a token in place of parameters',
      'Negotiate YII==, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'beside others in one header',
      'Basic realm="a, b", charset="UTF-8", Bearer realm = "c\\"d" , error=invalid',
      [
        ['basic', { realm: 'a, b', charset: 'UTF-8' }],
        ['bearer', { realm: 'c"d', error: 'invalid' }],
      ],
    ],
    ['with empty list items', ', ,Basic realm=x,, ', [['basic', { realm: 'x' }]]],
    ['cut off within quotes', 'Bearer realm="x', [['bearer', {}]]],
    ['given twice a name', 'Basic realm=a, realm=b', [['basic', { realm: 'a' }]]],
    ['that is nonsense', '"="', []],
  ])('%s', (_name, header, expected) => {
    expect(parsed(header)).toEqual(expected);
  });

  test('comes in several headers', () => {
    expect(parsed('Basic realm=a', 'Bearer realm=b')).toEqual([
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b' }],
    ]);
  });

  test('is read back as it was written', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/);
    const value = fc.string({
      unit: fc.constantFrom('a', 'b', ',', '=', '"', ' ', '\\', ':', '/', '?', 'é'),
    });
    const challenges = fc.array(
      fc.tuple(name, fc.dictionary(name, value, { minKeys: 1, noNullPrototype: true })),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(challenges, (written) => {
        const header = written
          .map(([scheme, parameters]) => {
            const pairs = Object.entries(parameters).map(
              ([key, text]) => `${key}="${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
            );
            return `${scheme} ${pairs.join(', ')}`;
          })
          .join(', ');
        expect(parsed(header)).toEqual(written);
      }),
    );
  });

  test('never throws, and takes no time', () => {
    const pieces = fc.constantFrom('Basic', ' ', ',', '=', '"', '\\', 'realm', 'a', '\t', '=="');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 200 }), (text) => {
        expect(parseChallenges([text.join('')]).length).toBeLessThanOrEqual(16);
      }),
    );
    expect(parseChallenges(['a='.repeat(1_000_000)]).length).toBeLessThanOrEqual(16);
  });
});
