import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextLink } from '../../src/registry/link-header.ts';

test.each([
  ['</v2/a/tags/list?n=2&last=b>; rel="next"', '/v2/a/tags/list?n=2&last=b'],
  ['</x>; rel=next', '/x'],
  ['</x>;rel="prev NEXT"', '/x'],
  ['</a>; rel="prev", </b>; rel="next"', '/b'],
  ['</a>; title="x, y; rel=next", </b>; title=z; rel=next', '/b'],
  ['</a,b>; rel=next', '/a,b'],
  ['</a>; rel="first"', undefined],
  ['/a; rel=next', undefined],
  ['', undefined],
])('%s leads to %s', (header, expected) => {
  expect(nextLink(header)).toBe(expected);
});

test('the target is read back as it was written', () => {
  const target = fc.stringMatching(/^[^<>\n\r]{0,40}$/);
  fc.assert(
    fc.property(target, target, (first, second) => {
      expect(
        nextLink(`<${first}>; rel="prev"; title=", <x>; rel=next", <${second}>; rel=next`),
      ).toBe(second);
    }),
  );
});

test('never throws, and takes no time', () => {
  const pieces = fc.constantFrom('<', '>', ';', ',', '"', 'rel', '=', 'next', ' ', '\\');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 200 }), (text) => {
      expect(['string', 'undefined']).toContain(typeof nextLink(text.join('')));
    }),
  );
  expect(nextLink(`<a>;${';'.repeat(100_000)}`)).toBeUndefined();
  expect(nextLink(`<a>;${'"" '.repeat(100_000)}`)).toBeUndefined();
});
