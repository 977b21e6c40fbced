import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { archiveImage } from '../../src/index.ts';
import type { ArchiveImageOptions, Digest, ErrorCode } from '../../src/index.ts';
import { GIB, MIB } from '../../src/limits.ts';
import { layoutFiles, ociArchive, sampleImage, sampleLayer } from './image-fixture.ts';
import { newFolder } from './layout-folder.ts';
import { newContext, readImage } from './source-context.ts';
import { ARCHIVE_END, tarEntry, type TarEntry, tarOf, withChecksum } from './tar-fixture.ts';

const image = sampleImage({ layers: [sampleLayer('one'), sampleLayer('two')] });
const files: TarEntry[] = [...layoutFiles([{ image }])].map(([path, body]) => ({ path, body }));

async function read(archive: Uint8Array, options: ArchiveImageOptions = {}): Promise<Digest> {
  const path = join(newFolder(), 'archive.tar');
  await writeFile(path, archive);
  return readAt(path, options);
}

/** What a push of it would put under a tag. */
async function readAt(path: string, options: ArchiveImageOptions = {}): Promise<Digest> {
  const context = newContext();
  const { graph } = await readImage(archiveImage(path, { label: 'archive', ...options }), {
    context,
  });
  return graph.root.manifest.digest;
}

async function expectCode(
  reading: Promise<unknown>,
  code: ErrorCode,
  message: RegExp = /archive/,
): Promise<void> {
  await expect(reading).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
}

describe('an archive that is none', () => {
  test.each<[string, Uint8Array, ErrorCode, RegExp]>([
    ['empty', Buffer.alloc(0), 'E_IMAGE_INVALID', /it is empty/],
    ['zeros', ARCHIVE_END, 'E_IMAGE_INVALID', /neither index\.json nor manifest\.json/],
    ['text', Buffer.from('text '.repeat(1000)), 'E_IMAGE_INVALID', /not a tar archive/],
    ['shorter than a block', Buffer.from('short'), 'E_IMAGE_INVALID', /not a tar archive/],
    ['something in gzip', gzipSync('something'), 'E_IMAGE_INVALID', /not a tar archive/],
    ['of other files', tarOf([{ path: 'a', body: 'b' }]), 'E_IMAGE_INVALID', /neither/],
    [
      'of an engine of old',
      tarOf([{ path: 'repositories', body: '{}' }]),
      'E_IMAGE_UNSUPPORTED',
      /before Docker 1\.10/,
    ],
    ['of zstd', Buffer.from('28b52ffd00', 'hex'), 'E_IMAGE_UNSUPPORTED', /zstd -d/],
    ['of xz', Buffer.from('fd377a585a00', 'hex'), 'E_IMAGE_UNSUPPORTED', /xz -d/],
    ['of bzip2', Buffer.from('BZh91AY'), 'E_IMAGE_UNSUPPORTED', /bzip2 -d/],
    [
      'gzip cut off',
      gzipSync(ociArchive([{ image }])).subarray(0, -100),
      'E_IMAGE_INVALID',
      /gzip data is damaged/,
    ],
    [
      'gzip with a wrong byte',
      gzipSync(ociArchive([{ image }])).fill(0, 500, 600),
      'E_IMAGE_INVALID',
      /gzip data is damaged/,
    ],
  ])('(%s) is told of by its code', (_what, archive, code, message) =>
    expectCode(read(archive), code, message),
  );

  test.each([
    ['a folder', () => newFolder()],
    ['nothing', () => join(newFolder(), 'none')],
    [
      'a pipe',
      () => {
        const path = join(newFolder(), 'pipe');
        spawnSync('mkfifo', [path]);
        return path;
      },
    ],
  ])('(%s) is E_SOURCE_UNREADABLE', async (_what, pathOf) => {
    await expectCode(readAt(pathOf()), 'E_SOURCE_UNREADABLE');
  });
});

describe('an archive leads nowhere else', () => {
  test.each(['../index.json', '/index.json', 'blobs/../../x', 'blobs/..', '..'])(
    'an entry named %s is E_IMAGE_INVALID, and nothing is written',
    async (path) => {
      const folder = newFolder();
      const archive = join(folder, 'archive.tar');
      await writeFile(archive, tarOf([...files, { path, body: '{}' }]));
      await expectCode(readAt(archive), 'E_IMAGE_INVALID', /leads out of it/);
      expect(readdirSync(folder)).toEqual(['archive.tar']);
    },
  );

  test.each<[string, TarEntry, RegExp]>([
    ['to an absolute path', link('/etc/passwd'), /link out of the archive/],
    ['above it', link('../../etc/passwd'), /link out of the archive/],
    ['to itself', link('index.json'), /form a loop/],
    ['to a folder', link('blobs'), /no such file/],
    ['to nothing', link('none'), /no such file/],
    [
      'by name to an absolute path',
      { ...link('/etc/passwd'), type: 'Link' },
      /link out of the archive/,
    ],
    ['by name to itself', { ...link('index.json'), type: 'Link' }, /form a loop/],
  ])('a link %s is E_IMAGE_INVALID', async (_where, entry, message) => {
    const others = files.filter(({ path }) => path !== 'index.json');
    await expectCode(read(tarOf([...others, entry])), 'E_IMAGE_INVALID', message);
  });

  test.each([
    ['a character device', '3'],
    ['a block device', '4'],
    ['a pipe', '6'],
    ['a sparse file', 'S'],
  ])('%s in place of the index is E_IMAGE_INVALID', async (_what, type) => {
    const others = files.filter(({ path }) => path !== 'index.json').map(tarEntry);
    const device = withType(tarEntry({ path: 'index.json' }), type);
    const archive = Buffer.concat([...others, device, ARCHIVE_END]);
    await expectCode(read(archive), 'E_IMAGE_INVALID', /not a regular file/);
  });

  test('a long chain of links ends', async () => {
    const chain = Array.from({ length: 1000 }, (_, index): TarEntry => ({
      path: index === 0 ? 'index.json' : `link-${index}`,
      type: 'SymbolicLink',
      linkpath: `link-${index + 1}`,
    }));
    const others = files.filter(({ path }) => path !== 'index.json');
    await expectCode(read(tarOf([...others, ...chain])), 'E_IMAGE_INVALID', /form a loop/);
  });
});

function link(linkpath: string): TarEntry {
  return { path: 'index.json', type: 'SymbolicLink', linkpath };
}

describe('sizes without measure are refused unread', () => {
  /** A file of that name which has a gigabyte of zeros, and takes no room. */
  async function withHuge(path: string, more: readonly TarEntry[]): Promise<string> {
    const archive = join(newFolder(), 'archive.tar');
    const start = Buffer.concat([...more.map(tarEntry), tarEntry({ path, sizeBytes: GIB })]);
    await writeFile(archive, start);
    truncateSync(archive, start.length + GIB + 1024);
    expect(statSync(archive).blocks * 512).toBeLessThan(MIB);
    return archive;
  }

  test.each(['manifest.json', 'index.json', 'oci-layout'])('a %s of a gigabyte', async (name) => {
    const others = files.filter(({ path }) => path !== name);
    const path = await withHuge(name, name === 'manifest.json' ? [] : others);
    const before = process.memoryUsage().arrayBuffers;
    await expectCode(readAt(path), 'E_IMAGE_INVALID', /has 1073741824 bytes, more than/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB);
  });

  test('a config of a gigabyte', async () => {
    const manifest = JSON.stringify([{ Config: 'config', RepoTags: null, Layers: [] }]);
    const path = await withHuge('config', [{ path: 'manifest.json', body: manifest }]);
    await expectCode(readAt(path), 'E_IMAGE_INVALID', /more than/);
  });

  test('a manifest of a gigabyte', async () => {
    const { mediaType, digest } = image.descriptor;
    const index = { manifests: [{ mediaType, digest, size: GIB }] };
    const path = await withHuge(`blobs/sha256/${digest.slice(7)}`, [
      { path: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
      { path: 'index.json', body: JSON.stringify(index) },
    ]);
    await expectCode(readAt(path), 'E_IMAGE_UNSUPPORTED', /1073741824 bytes/);
  });

  test.each<[string, (header: Buffer) => void]>([
    ['negative', (header) => header.fill(0xff, 124, 136)],
    ['larger than any number', (header) => header.fill(0x7f, 125, 136).writeUInt8(0x80, 124)],
    ['in no notation', (header) => header.fill(0x81, 124, 136)],
    ['text', (header) => header.write('abcdefghijk', 124)],
    ['larger than the archive', (header) => header.write('77777777777', 124)],
  ])('a size that is %s', async (_what, change) => {
    const [first, ...rest] = files;
    if (first === undefined) throw new Error('no files');
    const entry = tarEntry(first);
    change(entry);
    const archive = Buffer.concat([withChecksum(entry), ...rest.map(tarEntry), ARCHIVE_END]);
    await expectCode(read(archive), 'E_IMAGE_INVALID', /at byte 0 (has|would)/);
  });

  function withPaxSize(size: string): Buffer {
    const record = ` size=${size}\n`;
    const body = `${record.length + 2}${record}`;
    return Buffer.concat([withType(tarEntry({ path: 'pax', body }), 'x'), tarOf(files)]);
  }

  test.each(['1.5', '1e400', '99999999999999999999', '0x7fffffff'])(
    'a size of %s in a pax header',
    (size) => expectCode(read(withPaxSize(size)), 'E_IMAGE_INVALID', /at byte 1024/),
  );

  test.each(['NaN', '-1', ''])(
    'but a size in a pax header that is none ("%s") says nothing',
    (size) => expect(read(withPaxSize(size))).resolves.toBe(image.descriptor.digest),
  );

  test.each(['x', 'g', 'L', 'K'])('a header of type %s with megabytes', async (type) => {
    const header = withType(tarEntry({ path: 'header', body: Buffer.alloc(2 * MIB) }), type);
    const reading = read(Buffer.concat([header, tarOf(files)]));
    await expectCode(reading, 'E_IMAGE_INVALID', /a header of more than 1048576 bytes/);
  });

  test('a name of many kilobytes', async () => {
    const path = 'long/'.repeat(2000);
    const archive = tarOf([{ path, body: 'x', usesPax: true }, ...files]);
    await expectCode(read(archive), 'E_IMAGE_INVALID', /a name of more than 4096 bytes/);
  });

  test('a million entries', async () => {
    const entry = tarEntry({ path: 'many' });
    const path = join(newFolder(), 'archive.tar');
    await writeFile(path, Buffer.concat(Array.from({ length: 100_001 }, () => entry)));
    await expectCode(readAt(path), 'E_IMAGE_INVALID', /more than 100000 entries/);
  });
});

function withType(entry: Buffer, type: string): Buffer {
  entry.write(type, 156, 'latin1');
  return withChecksum(entry);
}

describe('documents that readers understand differently', () => {
  test.each(['index.json', 'oci-layout'])('a second %s', async (name) => {
    const again = files.filter(({ path }) => path === name);
    await expectCode(read(tarOf([...files, ...again])), 'E_IMAGE_INVALID', /archive twice/);
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['with a key twice', '[{"Config":"a","Config":"b"}]', /"Config" is there twice/],
    ['that is not UTF-8', Buffer.from('5b22ff225d', 'hex'), /not UTF-8/],
    [
      'that is nested deeply',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      /nested deeper|not JSON/,
    ],
  ])('a manifest.json %s', async (_what, body, message) => {
    await expectCode(read(tarOf([{ path: 'manifest.json', body }])), 'E_IMAGE_INVALID', message);
  });

  test('a file that GNU tar stored without its zeros', async () => {
    const record = '22 GNU.sparse.major=1\n';
    const pax = withType(tarEntry({ path: 'pax', body: record }), 'x');
    const index = files.filter(({ path }) => path === 'index.json').map(tarEntry);
    const others = files.filter(({ path }) => path !== 'index.json').map(tarEntry);
    const archive = Buffer.concat([...others, pax, ...index, ARCHIVE_END]);
    await expectCode(read(archive), 'E_IMAGE_INVALID', /not a regular file/);
  });
});
