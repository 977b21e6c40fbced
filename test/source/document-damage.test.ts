import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { archiveImage, LongshoreError, ociLayoutImage } from '../../src/index.ts';
import type { ErrorCode, ImageSource } from '../../src/index.ts';
import { digestOf, makeIndex } from '../image/memory-image.ts';
import { layoutFiles, sampleImage, sampleLayer } from './image-fixture.ts';
import { newFolder, writeFiles } from './layout-folder.ts';
import { newContext, readImage } from './source-context.ts';
import { tarOf } from './tar-fixture.ts';

// Whatever stands in the documents by which an image is found: it is found, or there is a code that says
// why not.
const CODES: readonly ErrorCode[] = [
  'E_BLOB_MISSING',
  'E_DIGEST_MISMATCH',
  'E_IMAGE_AMBIGUOUS',
  'E_IMAGE_INVALID',
  'E_IMAGE_NOT_FOUND',
  'E_IMAGE_UNSUPPORTED',
];
const image = sampleImage({ layers: [sampleLayer('one')] });
const index = makeIndex([image, sampleImage({ name: 'other', layers: 1 })]);
const layout = layoutFiles([
  { image, reference: 'app' },
  { image: index, reference: 'all' },
]);
const FOUND = [image.descriptor.digest, index.descriptor.digest];

async function outcomeOf(source: ImageSource): Promise<string> {
  try {
    const { graph } = await readImage(source, { context: newContext(), referrers: true });
    return graph.root.manifest.digest;
  } catch (error) {
    if (LongshoreError.is(error)) return error.code;
    throw error;
  }
}

/** The text with one piece of it replaced, which mostly leaves it JSON. */
function damaged(text: string): fc.Arbitrary<Buffer> {
  const values = text.match(/"[^"]*"|\d+|null|\[|\]|\{|\}/g) ?? [];
  const other = fc.oneof(
    fc.constantFrom(...values, '-1', '0', '1e99', '1.5', 'true', '"../x"', '"sha256:"', '[[]]'),
    fc.json({ maxDepth: 2 }),
    fc.string(),
  );
  const replaced = fc
    .record({ at: fc.nat({ max: values.length - 1 }), by: other })
    .map(({ at, by }) => {
      let count = -1;
      return Buffer.from(
        text.replaceAll(/"[^"]*"|\d+|null|\[|\]|\{|\}/g, (value) => {
          count += 1;
          return count === at ? by : value;
        }),
      );
    });
  const flipped = fc
    .record({ at: fc.nat({ max: text.length - 1 }), byte: fc.nat({ max: 255 }) })
    .map(({ at, byte }) => {
      const bytes = Buffer.from(text);
      bytes[at] = byte;
      return bytes;
    });
  const anything = fc.json({ maxDepth: 4 }).map((json) => Buffer.from(json));
  return fc.oneof({ weight: 4, arbitrary: replaced }, flipped, anything);
}

test.each(['index.json', 'oci-layout'])('a damaged %s of a layout', async (name) => {
  const folder = writeFiles(layout);
  const text = new TextDecoder().decode(layout.get(name));
  const choices = [{}, { reference: 'app' }, { platform: 'linux/amd64' }] as const;
  await fc.assert(
    fc.asyncProperty(damaged(text), fc.constantFrom(...choices), async (bytes, choice) => {
      await writeFile(join(folder, name), bytes);
      expect([...FOUND, ...CODES]).toContain(await outcomeOf(ociLayoutImage(folder, choice)));
    }),
    { numRuns: 300 },
  );
});

test('a damaged manifest.json of docker save', async () => {
  const path = join(newFolder(), 'archive.tar');
  const config = `${digestOf(image.config).slice('sha256:'.length)}.json`;
  const saved = [{ Config: config, RepoTags: ['app:1.0', 'app:2.0'], Layers: ['a/layer.tar'] }];
  const archiveOf = (body: Uint8Array): Buffer =>
    tarOf([
      { path: config, body: image.config },
      { path: 'a/layer.tar', body: image.tars[0] ?? '' },
      { path: 'manifest.json', body },
    ]);
  const text = JSON.stringify(saved);
  await writeFile(path, archiveOf(Buffer.from(text)));
  const found = await outcomeOf(archiveImage(path));
  const choices = [{}, { reference: 'app:1.0' }, { platform: 'linux/amd64' }] as const;
  await fc.assert(
    fc.asyncProperty(damaged(text), fc.constantFrom(...choices), async (bytes, choice) => {
      await writeFile(path, archiveOf(bytes));
      expect([found, ...CODES]).toContain(await outcomeOf(archiveImage(path, choice)));
    }),
    { numRuns: 300 },
  );
});
