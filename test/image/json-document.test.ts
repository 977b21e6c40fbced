import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JsonProblem,
  printable,
  readJson,
  readJsonObject,
  textOf,
} from '../../src/image/json-document.ts';

const encoder = new TextEncoder();
/** What JSON is made of, and what is near to it. */
const CHARACTERS = Array.from('{}[]",:\\u0019aeE.-nul tf\n/*');

function read(text: string): unknown {
  return readJson(encoder.encode(text));
}

const PROBLEM = Symbol('a problem');

function attempt(bytes: Uint8Array): unknown {
  try {
    return readJson(bytes);
  } catch (error) {
    if (error instanceof JsonProblem) return PROBLEM;
    throw error;
  }
}

describe('JSON from outside', () => {
  test('is read as everybody reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        expect(read(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('of any bytes is read as JSON.parse does, or is a JsonProblem', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.string({ unit: fc.constantFrom(...CHARACTERS) }).map(encode),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const value = attempt(input);
        if (value === PROBLEM) return;
        expect(value).toEqual(JSON.parse(new TextDecoder().decode(input)));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['nothing', '', /not JSON/],
    ['a byte order mark', '\ufeff{}', /not JSON/],
    ['a comment', '{/**/}', /not JSON/],
    ['a comma too many', '{"a":1,}', /not JSON/],
    ['something behind it', '{} {}', /not JSON/],
    ['a key twice', '{"a":1,"a":1}', /the key "a" is there twice/],
    ['a key twice, deep down', '[{"b":{"a":1,"c":[],"a":2}}]', /"a" is there twice/],
    ['a key twice, one of them escaped', String.raw`{"a":1,"\u0061":1}`, /"a" is there twice/],
    ['a key without characters twice', '{"":1,"":1}', /the key "" is there twice/],
    ['65 levels of lists', `${'['.repeat(65)}${']'.repeat(65)}`, /deeper than 64/],
    ['65 levels of objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, /deeper than 64/],
    ['a million levels', `${'['.repeat(1e6)}${']'.repeat(1e6)}`, /deeper than 64/],
  ])('%s is a problem', (_name, text, message) => {
    expect(() => read(text)).toThrow(JsonProblem);
    expect(() => read(text)).toThrow(message);
  });

  test('may be 64 levels deep, and have a key once in each of its objects', () => {
    expect(read(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined();
    expect(read('[{"a":{"a":1}},{"a":2}]')).toEqual([{ a: { a: 1 } }, { a: 2 }]);
  });

  test('that names a prototype has it as a member like any other', () => {
    const object = readJsonObject(encoder.encode('{"__proto__":{"size":1}}'));
    expect(Object.keys(object)).toEqual(['__proto__']);
    expect(object['size']).toBeUndefined();
  });

  test.each(['[]', 'null', '1', '"text"', 'true'])('an object is asked for, not %s', (text) => {
    expect(() => readJsonObject(encoder.encode(text))).toThrow(/not a JSON object/);
  });

  test.each([
    ['a byte alone', [0xff]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('%s is not UTF-8', (_name, bytes) => {
    expect(() => textOf(Uint8Array.from(bytes))).toThrow(/not UTF-8/);
  });

  test('is repeated in messages in short, and without control characters', () => {
    const key = `\u001b[31m\u009b\u202e${'x'.repeat(10_000)}`;
    const member = `${JSON.stringify(key)}:1`;
    let message = '';
    try {
      read(`{${member},${member}}`);
    } catch (error) {
      ({ message } = error as JsonProblem);
    }
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^[ -~\ufffd]+$/);
    expect(printable('a\nb')).toBe('a\ufffdb');
  });
});

function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
