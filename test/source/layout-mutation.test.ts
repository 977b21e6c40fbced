import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LongshoreError, ociLayoutImage } from '../../src/index.ts';
import { digestOf, makeImage, makeIndex } from '../image/memory-image.ts';
import { blobName, encode, layoutFiles, writeFiles } from './layout-folder.ts';
import { type ReadImage, readImage } from './source-context.ts';

const platform = { os: 'linux', architecture: 'arm64' };
const image = makeImage({ layers: [Buffer.from('a layer')], platform });
const signature = makeImage({ layers: [Buffer.from('signed')], subject: image.descriptor });
const index = makeIndex([image]);
const entries = [{ image: index, name: 'app' }, { image: signature }];
const files = layoutFiles(...entries);

/** Whatever is changed: the image as it was made, or an error of ours. */
async function expectSound(folder: string): Promise<void> {
  const found = await attempt(folder);
  if (found === undefined) return;
  for (const [digest, bytes] of found.content) expect(digestOf(bytes)).toBe(digest);
}

async function attempt(folder: string): Promise<ReadImage | undefined> {
  try {
    return await readImage(ociLayoutImage(folder), { referrers: true });
  } catch (error) {
    if (LongshoreError.is(error)) return undefined;
    throw error;
  }
}

const changedName = fc.constantFrom(
  'index.json',
  'oci-layout',
  blobName(index.descriptor.digest),
  blobName(image.descriptor.digest),
  blobName(signature.descriptor.digest),
);

describe('a layout of which something was changed is the image or a LongshoreError', () => {
  test('bytes of any document, or its length', async () => {
    const folder = writeFiles(files);
    const change = fc.tuple(changedName, fc.nat(), fc.nat(255), fc.boolean());
    await fc.assert(
      fc.asyncProperty(change, async ([name, at, byte, isCut]) => {
        const original = files.get(name) ?? new Uint8Array(0);
        const place = at % original.length;
        const bytes = isCut ? original.slice(0, place) : original.slice();
        if (!isCut) bytes[place] = byte;
        writeFileSync(join(folder, name), bytes);
        try {
          await expectSound(folder);
        } finally {
          writeFileSync(join(folder, name), original);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('members of index.json', async () => {
    const folder = writeFiles(files);
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(...[image, index, signature].map(({ descriptor }) => descriptor.digest)),
      fc.constantFrom(...[image, index, signature].map(({ descriptor }) => descriptor.mediaType)),
      fc.constantFrom(-1, 0, 2 ** 40, 1e300),
    );
    const names = ['mediaType', 'digest', 'size', 'platform', 'annotations', 'urls', 'subject'];
    const change = fc.tuple(fc.nat(1), fc.constantFrom(...names), value);
    const text = new TextDecoder().decode(files.get('index.json'));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const document = JSON.parse(text) as { manifests: Record<string, unknown>[] };
        for (const [at, name, changed] of changes) {
          const entry = document.manifests[at];
          if (entry !== undefined) entry[name] = changed;
        }
        writeFileSync(join(folder, 'index.json'), encode(document));
        await expectSound(folder);
      }),
      { numRuns: 300 },
    );
  });

  test('nothing at all is the image', async () => {
    const found = await attempt(writeFiles(files));
    expect(found?.graph.root.manifest.digest).toBe(index.descriptor.digest);
    expect(found?.graph.nodes.map(({ role }) => role)).toEqual(['child', 'root', 'referrer']);
  });
});
