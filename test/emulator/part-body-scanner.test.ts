import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartBodyScanner } from '../../src/emulator/part-body-scanner.ts';
import { CountedContent, DecodedContent } from '../../src/emulator/part-content.ts';
import type { PartContent } from '../../src/emulator/part-content.ts';

function scan(text: string, chunkSizes: readonly number[], content: PartContent): unknown {
  const scanner = new PartBodyScanner(content);
  const bytes = Buffer.from(text);
  let position = 0;
  for (let index = 0; position < bytes.length; index += 1) {
    const size = chunkSizes[index % chunkSizes.length] ?? 1;
    scanner.write(bytes.subarray(position, position + size));
    position += size;
  }
  return scanner.end();
}

function decoded(): DecodedContent {
  return new DecodedContent(0, () => undefined);
}

const blob = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
const chunkSizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
const whitespace = fc.constantFrom('', ' ', '\n\t', '\r\n  ');

test('any member order, whitespace, escaping and chunking gives the same part', () => {
  fc.assert(
    fc.property(
      blob,
      chunkSizes,
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      fc.nat(4),
      whitespace,
      fc.constantFrom(
        (text: string) => text,
        (text: string) => text.replaceAll('/', '\\/'),
        (text: string) => text.replaceAll('/', '\\u002f').replaceAll('=', '\\u003D'),
      ),
      (bytes, sizes, others, place, space, escape) => {
        const { layerPartBlob: _, ...rest } = others;
        const members = Object.entries(rest).map(
          ([name, value]) => `${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}`,
        );
        const text = escape(bytes.toString('base64'));
        members.splice(place, 0, `"layerPartBlob"${space}:${space}"${text}"`);
        const content = decoded();
        const body = scan(`${space}{${members.join(`${space},${space}`)}}${space}`, sizes, content);
        expect(Buffer.concat(content.slabs).equals(bytes)).toBe(true);
        expect(content.sizeBytes).toBe(bytes.length);
        expect(body).toEqual({ ...JSON.parse(JSON.stringify(rest)), layerPartBlob: '' });
      },
    ),
  );
});

test('counting gives the size that decoding gives', () => {
  fc.assert(
    fc.property(blob, chunkSizes, (bytes, sizes) => {
      const content = new CountedContent();
      scan(JSON.stringify({ layerPartBlob: bytes.toString('base64') }), sizes, content);
      expect(content.sizeBytes).toBe(bytes.length);
    }),
  );
});

test('a blob larger than a slab comes out whole', () => {
  const bytes = Buffer.alloc(2_500_001, 'a1b2');
  const content = decoded();
  scan(JSON.stringify({ layerPartBlob: bytes.toString('base64') }), [65_536, 13], content);
  expect(Buffer.concat(content.slabs).equals(bytes)).toBe(true);
});

test('the name of the blob inside other members means nothing', () => {
  const content = decoded();
  const text = '{"a":{"layerPartBlob":"!!"},"b":["layerPartBlob","!"],"c":"layerPartBlob"}';
  expect(scan(text, [3], content)).toEqual(JSON.parse(text));
  expect(content.sizeBytes).toBe(0);
});

test('an escaped name of the blob is the blob', () => {
  const content = decoded();
  scan('{"layer\\u0050artBlob":"AAAA"}', [2], content);
  expect(content.sizeBytes).toBe(3);
});

test.each([
  ['not base64', '{"layerPartBlob":"AA*A"}'],
  ['the URL alphabet', '{"layerPartBlob":"AA-_"}'],
  ['a missing padding', '{"layerPartBlob":"AAA"}'],
  ['text behind the padding', '{"layerPartBlob":"AA==AAAA"}'],
  ['white space', '{"layerPartBlob":"AAAA AAA"}'],
  ['an escape that is no base64', '{"layerPartBlob":"AAA\\n"}'],
  ['two blobs', '{"layerPartBlob":"AAAA","layerPartBlob":"AAAA"}'],
  ['an end within the blob', '{"layerPartBlob":"AAAA'],
  ['broken JSON', '{"layerPartBlob":"AAAA",}'],
  ['nothing', ''],
  ['endless members', `{"a":"${'x'.repeat(70_000)}"}`],
])('%s is refused', (_, text) => {
  expect(() => scan(text, [5], decoded())).toThrow(
    expect.objectContaining({ name: 'SerializationException' }),
  );
});

test('rubbish never breaks the scanner but for the named refusal', () => {
  const failureOf = (text: string, sizes: readonly number[]): unknown => {
    try {
      scan(text, sizes, decoded());
      return undefined;
    } catch (error) {
      return error;
    }
  };
  fc.assert(
    fc.property(fc.string(), chunkSizes, (text, sizes) => {
      const failure = failureOf(text, sizes);
      const name = failure instanceof Error ? failure.name : failure;
      expect([undefined, 'SerializationException']).toContain(name);
    }),
  );
});
