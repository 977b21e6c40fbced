import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { archiveImage, LongshoreError } from '../../src/index.ts';
import type { ErrorCode } from '../../src/index.ts';
import {
  newDockerArchive,
  ociArchive,
  oldDockerArchive,
  sampleImage,
  sampleLayer,
} from './image-fixture.ts';
import { newFolder } from './layout-folder.ts';
import { newContext, readImage } from './source-context.ts';
import { withChecksum } from './tar-fixture.ts';

const image = sampleImage({ layers: [sampleLayer('one'), sampleLayer('two')] });
const plain = sampleImage({ layers: [sampleLayer('one')], isCompressed: false });

const ARCHIVES = Object.entries({
  'an OCI archive': ociArchive([{ image }]),
  'docker save of old': oldDockerArchive([{ image: plain }]),
  'docker save of new': newDockerArchive([{ image: plain }]),
});
const CODES: readonly ErrorCode[] = [
  'E_IMAGE_INVALID',
  'E_BLOB_MISSING',
  'E_DIGEST_MISMATCH',
  // What is left without its manifest.json looks like an archive of old.
  'E_IMAGE_UNSUPPORTED',
];
const BLOCK_BYTES = 512;

/** The digest of what would be pushed, or the code of the error. Nothing else may be thrown. */
async function outcomeOf(path: string): Promise<string> {
  try {
    const source = archiveImage(path);
    const { graph } = await readImage(source, { context: newContext() });
    return graph.root.manifest.digest;
  } catch (error) {
    if (LongshoreError.is(error)) return error.code;
    throw error;
  }
}

// Without its manifest.json, docker save of new is still a whole OCI layout: that of `plain`.
describe.each(ARCHIVES)(
  'damage to %s gives the same image or an error with a code',
  (_name, bytes) => {
    test('in any header', async () => {
      const path = join(newFolder(), 'archive.tar');
      await writeFile(path, bytes);
      const allowed = [await outcomeOf(path), plain.descriptor.digest, ...CODES];
      const damage = fc.record({
        header: fc.constantFrom(...headersOf(bytes)),
        // Where the fields that mean something are, mostly: the size, the type.
        at: fc.oneof(
          fc.integer({ min: 0, max: 511 }),
          fc.integer({ min: 124, max: 136 }),
          fc.constant(156),
        ),
        byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x80, 0xff, 0x30, 0x32)),
        hasChecksum: fc.boolean(),
        cutAt: fc.option(fc.integer({ min: 0, max: bytes.length }), { freq: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(damage, async ({ header, at, byte, hasChecksum, cutAt }) => {
          const changed = Buffer.from(bytes);
          changed[header + at] = byte;
          const block = changed.subarray(header, header + BLOCK_BYTES);
          if (hasChecksum) block.set(withChecksum(block));
          await writeFile(path, cutAt === null ? changed : changed.subarray(0, cutAt));
          expect(allowed).toContain(await outcomeOf(path));
        }),
        { numRuns: 200 },
      );
    });

    test('by a cut at any block', async () => {
      const path = join(newFolder(), 'archive.tar');
      await writeFile(path, bytes);
      const allowed = [await outcomeOf(path), plain.descriptor.digest, ...CODES];
      for (let end = 0; end < bytes.length; end += BLOCK_BYTES) {
        await writeFile(path, bytes.subarray(0, end));
        expect(allowed).toContain(await outcomeOf(path));
      }
    });
  },
);

/** Where the headers are, by their magic. */
function headersOf(archive: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < archive.length; at += BLOCK_BYTES) {
    if (archive.toString('latin1', at + 257, at + 262) === 'ustar') found.push(at);
  }
  return found;
}
