import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { endpointOf } from '../../src/registry/endpoint.ts';
import { formatReference, parseReference } from '../../src/registry/reference.ts';

const hex = 'ab'.repeat(32);
const digest = `sha256:${hex}`;

describe('a reference', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/a/b', 'docker.io/a/b:latest'],
    ['grafana/grafana', 'docker.io/grafana/grafana:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['localhost:5000/a/b:c', 'localhost:5000/a/b:c'],
    ['[::1]:5000/a', '[::1]:5000/a:latest'],
    ['[2001:db8::1]/a/b:c', '[2001:db8::1]/a/b:c'],
    [`ghcr.io/a/b:c@${digest}`, `ghcr.io/a/b:c@${digest}`],
    [`a@${digest}`, `docker.io/library/a@${digest}`],
    ['a.b/c__d/e--f.g_h:T.a-g_', 'a.b/c__d/e--f.g_h:T.a-g_'],
    ['123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1', undefined],
  ])('%s', (text, expected = text) => {
    const parsed = parseReference(text);
    expect(formatReference(parsed)).toBe(expected);
    expect(parseReference(formatReference(parsed))).toEqual(parsed);
  });

  test.each([
    '',
    ' ',
    'Alpine',
    'https://ghcr.io/a',
    'a:',
    'a@',
    'a@sha256:abc',
    `a@sha512:${hex}${hex}`,
    'a/',
    '/a',
    'a//b',
    'a/../b',
    'localhost:99999/a',
    'localhost:/a',
    '[::g]/a',
    '[::1]a',
    '1.2.3.4.5:80/a',
    hex,
    `a:${'t'.repeat(129)}`,
    'a'.repeat(256),
    'b:c:d/e',
    'a b',
    'ä/b',
    `${'a'.repeat(60)}!`,
    `${'a-'.repeat(60)}:!`,
  ])('is not %s', (text) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: 'E_OPTION_INVALID' }),
    );
  });

  test('with a password before the host is not repeated', () => {
    expect(() => parseReference('user:hunter2@ghcr.io/a')).toThrow(/^(?!.*hunter2)/s);
    expect(() => parseReference('https://user:hunter2@ghcr.io/a')).toThrow(/^(?!.*hunter2)/s);
  });

  test('is read back as it was written', () => {
    const host = fc.constantFrom('docker.io', 'a.b', 'localhost', 'x:1', '[::1]', '[fe80::1]:80');
    const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}$/);
    const path = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/'));
    const tag = fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined });
    const withDigest = fc.boolean();
    fc.assert(
      fc.property(host, path, tag, withDigest, (registry, repository, tagOrNone, isPinned) => {
        const text =
          `${registry}/${repository}${tagOrNone === undefined ? '' : `:${tagOrNone}`}` +
          (isPinned ? `@${digest}` : '');
        const parsed = parseReference(text);
        expect(parsed).toEqual({
          registry,
          repository,
          tag: tagOrNone ?? (isPinned ? undefined : 'latest'),
          digest: isPinned ? digest : undefined,
        });
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
      }),
    );
  });

  test('that is none is told so, whatever it is', () => {
    const pieces = fc.constantFrom(
      'a',
      'A',
      '-',
      '.',
      '_',
      '/',
      ':',
      '@',
      '[',
      ']',
      digest,
      '1',
      'ü',
    );
    const texts = fc.oneof(
      fc.string({ maxLength: 600 }),
      fc.array(pieces, { maxLength: 80 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const parsed = parseReference(text);
          expect(parseReference(formatReference(parsed))).toEqual(parsed);
        } catch (error) {
          if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test('a text of any length is refused at once, and not shown', () => {
  const startedAtMs = performance.now();
  const text = `${'me:'.repeat(3000)}hush@registry.example/app`;
  expect(() => parseReference(text)).toThrow(/received a text of 9025 characters/);
  expect(performance.now() - startedAtMs).toBeLessThan(1000);
});

test.each([
  ['docker.io', 'https://registry-1.docker.io/'],
  ['ghcr.io', 'https://ghcr.io/'],
  ['localhost:5000', 'http://localhost:5000/'],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000/'],
  ['[::1]:5000', 'http://[::1]:5000/'],
  ['localhost.example.com', 'https://localhost.example.com/'],
  ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/'],
])('%s is reached at %s', (registry, url) => {
  expect(endpointOf(registry, undefined).href).toBe(url);
  expect(endpointOf(registry, false).protocol).toBe('https:');
  expect(endpointOf(registry, true).protocol).toBe('http:');
});
