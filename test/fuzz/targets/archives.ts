/** Archives of images, opened and read to the end as a push would. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LongshoreError } from '../../../src/errors.ts';
import { readGraph } from '../../../src/image/image-graph.ts';
import type { ImageSourceContext } from '../../../src/image/image-source.ts';
import { archiveImage } from '../../../src/source/archive-image.ts';
import {
  newDockerArchive,
  ociArchive,
  oldDockerArchive,
  sampleImage,
} from '../../source/image-fixture.ts';
import { tarOf, withChecksum } from '../../source/tar-fixture.ts';
import { type FuzzTarget, kindOf } from '../fuzz-target.ts';
import { withScratchFile } from './scratch-file.ts';

const BLOCK_BYTES = 512;
/** Where a header says that it is one. */
const MAGIC_OFFSET_BYTES = 257;
const WORDS = [
  'ustar\u000000',
  '00000000000\u0000',
  '77777777777\u0000',
  '../../etc/passwd\u0000',
  '/etc/passwd\u0000',
  'index.json\u0000',
  'manifest.json\u0000',
  'blobs/sha256/',
  '30 path=../../../etc/passwd\n',
  '19 size=99999999999\n',
  '22 GNU.sparse.major=1\n',
  '\u0080\u0000\u0000\u0000',
];
/** Where what was in gzip is written to. */
const SPOOL_FILE = 'archive.tar';
const signal = new AbortController().signal;
const image = sampleImage({ layers: 1 });
const layout = ociArchive([{ image, reference: 'app' }]);
const saved = [{ image, tags: ['app:1.0'] }];
const links = tarOf([
  { path: 'index.json', type: 'SymbolicLink', linkpath: 'blobs/x' },
  { path: 'blobs/x', type: 'Link', linkpath: 'oci-layout' },
  { path: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
  { path: `${'long/'.repeat(30)}name`, body: 'x', usesPax: true },
]);

/** Makes whole what a change of a header has broken: else nothing behind the checksum is ever tried. */
function withChecksums(archive: Buffer): Buffer {
  const mended = Buffer.from(archive);
  for (let at = 0; at + BLOCK_BYTES <= mended.length; at += BLOCK_BYTES) {
    const block = mended.subarray(at, at + BLOCK_BYTES);
    if (block.toString('latin1', MAGIC_OFFSET_BYTES, MAGIC_OFFSET_BYTES + 5) !== 'ustar') continue;
    withChecksum(block).copy(mended, at);
  }
  return mended;
}

async function read(path: string, folder: string): Promise<string> {
  const before = readdirSync(folder);
  const outcome = await openAndRead(path, folder);
  const added = readdirSync(folder).filter((name) => !before.includes(name));
  for (const name of added) rmSync(join(folder, name), { recursive: true });
  if (added.some((name) => name !== SPOOL_FILE)) throw new Error(`it wrote ${added.join(', ')}`);
  return outcome;
}

async function openAndRead(path: string, folder: string): Promise<string> {
  const context: ImageSourceContext = {
    compression: { kind: 'gzip', level: 1 },
    temporaryDirectory: () => Promise.resolve(folder),
    hash: () => Promise.resolve(image.descriptor.digest),
    compress: () => Promise.reject(new LongshoreError('E_CLOSED', 'layers stay closed', {})),
  };
  try {
    const opened = await archiveImage(path, { label: 'fuzz' }).open(context, signal);
    try {
      const choice = { source: 'fuzz', platforms: [], referrers: true };
      const { nodes } = await readGraph(opened, choice, signal);
      return `sound ${nodes.length}`;
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (LongshoreError.is(error)) return kindOf(error);
    throw error;
  }
}

const tarArchive: FuzzTarget = {
  name: 'tar-archive',
  words: WORDS,
  seeds: [layout, oldDockerArchive(saved), newDockerArchive(saved), links],
  open: () => {
    const target = withScratchFile('input', read);
    return Promise.resolve({ ...target, run: (input) => target.run(withChecksums(input)) });
  },
};

const gzipArchive: FuzzTarget = {
  name: 'gzip-archive',
  words: ['\u001f\u008b\u0008'],
  seeds: [gzipSync(layout), gzipSync(Buffer.alloc(1024 * 1024))],
  open: () => Promise.resolve(withScratchFile('input', read)),
};

export const archives: readonly FuzzTarget[] = [tarArchive, gzipArchive];
