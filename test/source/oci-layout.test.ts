import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ociLayoutImage } from '../../src/index.ts';
import { digestOf, makeImage, makeIndex } from '../image/memory-image.ts';
import { blobName, encode, layoutFiles, newFolder, writeFiles } from './layout-folder.ts';
import { newContext, readImage, signal } from './source-context.ts';

const layer = Buffer.from('a layer');
const image = makeImage({ layers: [layer, Buffer.from('another')] });
const files = layoutFiles({ image });
const manifestBytes = image.content.get(image.descriptor.digest) ?? Buffer.alloc(0);

describe('an OCI layout', () => {
  test('gives the image byte for byte', async () => {
    const { graph, content } = await readImage(ociLayoutImage(writeFiles(files)));
    expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
    expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
    for (const [digest, bytes] of content) expect(digestOf(bytes)).toBe(digest);
  });

  test('gives an index with all its images', async () => {
    const index = makeIndex([image, makeImage({ layers: [layer] })]);
    const { content } = await readImage(ociLayoutImage(writeFiles(layoutFiles({ image: index }))));
    expect(new Set(content.keys())).toEqual(new Set(index.content.keys()));
  });

  test('is named by its path, its blobs by what they are', async () => {
    const folder = writeFiles(files);
    const source = ociLayoutImage(folder);
    expect(source.label).toBe(folder);
    const opened = await source.open(newContext(), signal);
    const descriptor = { mediaType: 'a/b', digest: digestOf(layer), sizeBytes: layer.length };
    expect(opened.blob(descriptor)).toMatchObject({
      digest: digestOf(layer),
      label: `${folder}: ${digestOf(layer)}`,
    });
    expect(ociLayoutImage(folder, { label: 'build' }).label).toBe('build');
  });

  test('may have links within it', async () => {
    const folder = writeFiles(files);
    const path = join(folder, blobName(digestOf(layer)));
    renameSync(path, join(folder, 'elsewhere'));
    symlinkSync('../../elsewhere', path);
    linkSync(join(folder, 'index.json'), join(folder, 'hard'));
    const { content } = await readImage(ociLayoutImage(folder));
    expect(content.get(digestOf(layer))).toEqual(layer);
  });

  test('may be reached by a link itself', async () => {
    const link = join(newFolder(), 'link');
    symlinkSync(writeFiles(files), link);
    expect((await readImage(ociLayoutImage(link))).content.size).toBe(image.content.size);
  });
});

describe('a layout that is not whole', () => {
  function open(changed: ReadonlyMap<string, Uint8Array | undefined>) {
    const all = new Map(files);
    for (const [name, bytes] of changed) {
      if (bytes === undefined) all.delete(name);
      else all.set(name, bytes);
    }
    return readImage(ociLayoutImage(writeFiles(all), { label: 'here' }));
  }

  test.each<[string, Map<string, Uint8Array | undefined>, string, RegExp]>([
    ['no oci-layout', change('oci-layout', undefined), 'E_IMAGE_INVALID', /no OCI image layout/],
    ['no index.json', change('index.json', undefined), 'E_IMAGE_INVALID', /here: index\.json/],
    ['no version', change('oci-layout', encode({})), 'E_IMAGE_INVALID', /imageLayoutVersion/],
    [
      'a version of the future',
      change('oci-layout', encode({ imageLayoutVersion: '2.0.0' })),
      'E_IMAGE_UNSUPPORTED',
      /of version 2\.0\.0/,
    ],
    ['an index that is a list', change('index.json', encode([])), 'E_IMAGE_INVALID', /JSON object/],
    [
      'no list',
      change('index.json', encode({ schemaVersion: 2 })),
      'E_IMAGE_INVALID',
      /manifests is not a list/,
    ],
    [
      'a key twice',
      change('index.json', Buffer.from('{"manifests":[],"manifests":[]}')),
      'E_IMAGE_INVALID',
      /"manifests" is there twice/,
    ],
    [
      'text that is not UTF-8',
      change('index.json', Buffer.from([0x7b, 0xff, 0x7d])),
      'E_IMAGE_INVALID',
      /not UTF-8/,
    ],
    [
      'JSON nested deeply',
      change('index.json', Buffer.from(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)),
      'E_IMAGE_INVALID',
      /nested deeper/,
    ],
    [
      'no images',
      change('index.json', encode({ schemaVersion: 2, manifests: [] })),
      'E_IMAGE_NOT_FOUND',
      /no image/,
    ],
    ['no manifest', change(blobName(image.descriptor.digest), undefined), 'E_BLOB_MISSING', /here/],
    [
      'a layer less',
      change(blobName(digestOf(layer)), undefined),
      'E_BLOB_MISSING',
      /make it anew/,
    ],
    [
      'a layer that is too short',
      change(blobName(digestOf(layer)), layer.subarray(1)),
      'E_IMAGE_INVALID',
      /should have 7 bytes and has 6/,
    ],
    [
      'a manifest with another digest',
      change(
        blobName(image.descriptor.digest),
        Buffer.from(Buffer.from(manifestBytes).toString().replace('"size":7', '"size":8')),
      ),
      'E_DIGEST_MISMATCH',
      /has the digest/,
    ],
  ])('%s is told of by its code', async (_name, changed, code, message) => {
    await expect(open(changed)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('a manifest of a gigabyte is refused from its size', async () => {
    const folder = writeFiles(files);
    truncateSync(join(folder, blobName(image.descriptor.digest)), 2 ** 30);
    await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
      code: 'E_IMAGE_UNSUPPORTED',
    });
  });

  test('an index.json of a gigabyte is refused from its size', async () => {
    const folder = writeFiles(files);
    truncateSync(join(folder, 'index.json'), 2 ** 30);
    await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
      message: expect.stringContaining('more than the') as string,
    });
  });
});

function change(name: string, bytes: Uint8Array | undefined): Map<string, Uint8Array | undefined> {
  return new Map([[name, bytes]]);
}

describe('a layout leads nowhere else', () => {
  test.each([
    ['a blob', blobName(digestOf(layer))],
    ['the folder of blobs', 'blobs'],
    ['the index', 'index.json'],
  ])('%s that is a link out of it is E_IMAGE_INVALID', async (_what, name) => {
    const folder = writeFiles(files);
    const outside = newFolder();
    renameSync(join(folder, name), join(outside, 'moved'));
    symlinkSync(join(outside, 'moved'), join(folder, name));
    await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
      message: expect.stringContaining('a symbolic link out of the folder') as string,
    });
  });

  test('a folder beside it whose name begins the same is outside', async () => {
    const folder = writeFiles(files);
    const beside = `${folder}-beside`;
    mkdirSync(beside);
    try {
      renameSync(join(folder, 'index.json'), join(beside, 'index.json'));
      symlinkSync(join(beside, 'index.json'), join(folder, 'index.json'));
      await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
        code: 'E_IMAGE_INVALID',
      });
    } finally {
      rmSync(beside, { recursive: true });
    }
  });

  test.each([
    ['a loop of links', (path: string) => symlinkSync(path, path)],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a pipe', (path: string) => void spawnSync('mkfifo', [path])],
    ['a link to a device', (path: string) => symlinkSync('/dev/zero', path)],
    ['a link to an absolute path', (path: string) => symlinkSync('/etc/passwd', path)],
  ])('%s in place of a blob is E_IMAGE_INVALID', async (_what, make) => {
    const folder = writeFiles(files);
    const path = join(folder, blobName(digestOf(layer)));
    rmSync(path);
    make(path);
    await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
    });
  });

  test('digests that are paths are no digests', async () => {
    const digest = 'sha256:../../../../etc/passwd';
    const manifests = [{ mediaType: image.descriptor.mediaType, digest, size: 1 }];
    const folder = writeFiles(
      new Map(files).set('index.json', encode({ schemaVersion: 2, manifests })),
    );
    await expect(readImage(ociLayoutImage(folder))).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
      message: expect.stringContaining('not a sha256 digest') as string,
    });
  });
});

test.each([
  ['is missing', () => join(newFolder(), 'none'), /ENOENT/],
  ['is a file', () => join(writeFiles(files), 'index.json'), /not a folder/],
])('a path that %s is E_SOURCE_UNREADABLE', async (_name, path, message) => {
  await expect(readImage(ociLayoutImage(path()))).rejects.toMatchObject({
    code: 'E_SOURCE_UNREADABLE',
    message: expect.stringMatching(message) as string,
  });
});

test.each([
  ['an empty path', () => ociLayoutImage('')],
  ['a digest that is none', () => ociLayoutImage('x', { digest: 'sha256:1' })],
  ['a platform that is none', () => ociLayoutImage('x', { platform: 'linux' })],
  ['an empty reference', () => ociLayoutImage('x', { reference: '' })],
  ['an unknown option', () => ociLayoutImage('x', { tag: 'y' } as object)],
])('%s is E_OPTION_INVALID at once', (_name, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'E_OPTION_INVALID' }));
});

test('a layout is not read after an abort', async () => {
  const source = ociLayoutImage(writeFiles(files));
  const reason = new Error('enough');
  await expect(source.open(newContext(), AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a file beside the blobs does no harm', async () => {
  const folder = writeFiles(files);
  writeFileSync(join(folder, 'manifest.json'), 'nothing');
  expect((await readImage(ociLayoutImage(folder))).content.size).toBe(image.content.size);
});
