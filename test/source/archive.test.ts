import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { archiveImage } from '../../src/index.ts';
import { digestOf, makeIndex } from '../image/memory-image.ts';
import { blobPath, layoutFiles, ociArchive, sampleImage } from './image-fixture.ts';
import { newFolder } from './layout-folder.ts';
import { pieces } from './sample-content.ts';
import { newContext, readImage, signal } from './source-context.ts';
import { gnuLongEntry, tarEntry, type TarEntry, tarOf } from './tar-fixture.ts';

const image = sampleImage();
const other = sampleImage({ name: 'other', platform: { os: 'linux', architecture: 'arm64' } });
const archive = ociArchive([{ image }]);

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(newFolder(), 'archive.tar');
  await writeFile(path, bytes);
  return path;
}

function expectWhole({ graph, content }: Awaited<ReturnType<typeof readImage>>): void {
  expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
  expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
  for (const [digest, bytes] of content) expect(digestOf(bytes)).toBe(digest);
}

describe('an OCI layout in a tar', () => {
  test('is read where it stands', async () => {
    const context = newContext();
    const path = await fileOf(archive);
    expectWhole(await readImage(archiveImage(path), { context }));
    expect(context.temporaryPath()).toBeUndefined();
  });

  test('may be compressed with gzip, also in several members', async () => {
    const context = newContext();
    const members = [archive.subarray(0, 3000), archive.subarray(3000)].map((one) => gzipSync(one));
    expectWhole(await readImage(archiveImage(await fileOf(Buffer.concat(members))), { context }));
    expect(readdirSync(context.temporaryPath() ?? '')).toEqual(['archive.tar']);
  });

  test.each([
    ['byte by byte', () => Readable.from(pieces(archive.subarray(), 100))],
    ['compressed', () => Readable.from(pieces(gzipSync(archive), 3))],
    ['as a web stream', () => Readable.toWeb(Readable.from([archive]))],
    ['by a generator', () => pieces(archive, 5000)],
  ])('may come as a stream, %s', async (_how, streamOf) => {
    const source = archiveImage(streamOf() as Readable);
    expect(source.label).toBe('archive');
    expectWhole(await readImage(source));
  });

  test('comes as a stream that can be read once only', async () => {
    const source = archiveImage(Readable.from([archive]), { label: 'standard input' });
    await readImage(source);
    await expect(source.open(newContext(), signal)).rejects.toMatchObject({
      code: 'E_SOURCE_UNREADABLE',
      message: expect.stringContaining('standard input') as string,
    });
  });

  test('may be of several images, of which one is chosen', async () => {
    const path = await fileOf(
      ociArchive([
        { image, reference: 'app:1.0' },
        { image: other, reference: 'app:2.0' },
      ]),
    );
    expectWhole(await readImage(archiveImage(path, { reference: 'app:1.0' })));
    expectWhole(await readImage(archiveImage(path, { platform: 'linux/amd64' })));
    await expect(readImage(archiveImage(path))).rejects.toMatchObject({
      code: 'E_IMAGE_AMBIGUOUS',
    });
  });

  test('may have an index of which not all is there, if a platform is chosen', async () => {
    const index = makeIndex([image, other]);
    const files = layoutFiles([{ image: index }]);
    files.delete(`blobs/sha256/${other.descriptor.digest.slice(7)}`);
    const path = await fileOf(tarOf([...files].map(([name, body]) => ({ path: name, body }))));
    expectWhole(await readImage(archiveImage(path, { platform: 'linux/amd64' })));
    await expect(readImage(archiveImage(path))).rejects.toMatchObject({ code: 'E_BLOB_MISSING' });
  });
});

describe('the tar may be written in any way', () => {
  const entries: TarEntry[] = [...layoutFiles([{ image }])].map(([path, body]) => ({ path, body }));

  test.each<[string, () => Buffer]>([
    [
      'names beginning with ./',
      () => tarOf(entries.map((one) => ({ ...one, path: `./${one.path}` }))),
    ],
    ['entries for folders', () => tarOf([{ path: './' }, { path: 'blobs/sha256/' }, ...entries])],
    ['pax headers', () => tarOf(entries.map((one) => ({ ...one, usesPax: true })))],
    [
      'long names of GNU tar',
      () => {
        const long = entries.map(({ path, body }) => gnuLongEntry(path, Buffer.from(body ?? '')));
        return Buffer.concat([...long, Buffer.alloc(1024)]);
      },
    ],
    ['no blocks of zeros at the end', () => Buffer.concat(entries.map(tarEntry))],
    ['more zeros at the end', () => Buffer.concat([tarOf(entries), Buffer.alloc(20 * 512)])],
    [
      'links by name',
      () => {
        const moved = entries.map((one) => ({ ...one, path: `real/${one.path}` }));
        const links = entries.map(({ path }, index) =>
          index % 2 === 0
            ? ({ path, type: 'Link', linkpath: `real/${path}` } as const)
            : ({ path, type: 'SymbolicLink', linkpath: `${upFrom(path)}real/${path}` } as const),
        );
        return tarOf([...moved, ...links]);
      },
    ],
    [
      'a link for a whole folder',
      () => {
        const isBlob = (path: string): boolean => path.startsWith('blobs/');
        return tarOf([
          { path: 'blobs', type: 'SymbolicLink', linkpath: 'real/./blobs' },
          ...entries.map((one) => (isBlob(one.path) ? { ...one, path: `real/${one.path}` } : one)),
        ]);
      },
    ],
    [
      'a blob twice',
      () => tarOf([...entries, ...entries.filter(({ path }) => path.startsWith('blobs'))]),
    ],
  ])('with %s', async (_how, archiveOf) => {
    expectWhole(await readImage(archiveImage(await fileOf(archiveOf()))));
  });
});

function upFrom(path: string): string {
  return '../'.repeat(path.split('/').length - 1);
}

test.each([
  ['a path that is empty', () => archiveImage('')],
  ['an archive that is a number', () => archiveImage(7 as unknown as string)],
  ['a format that nobody knows', () => archiveImage('x', { format: 'tar' as 'oci' })],
  ['an unknown option', () => archiveImage('x', { tag: 'y' } as object)],
  ['a digest that is none', () => archiveImage('x', { digest: 'sha256:1' })],
])('%s is E_OPTION_INVALID at once', (_name, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'E_OPTION_INVALID' }));
});

describe('an abort', () => {
  test('lets go of a stream that gives nothing', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const stream = new Readable({ read: () => abort.abort(reason) });
    const opening = archiveImage(stream).open(newContext(), abort.signal);
    await expect(opening).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
  });

  test('ends the copying of a stream without end', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let pieceCount = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        pieceCount += 1;
        if (pieceCount === 50) abort.abort(reason);
        yield await Promise.resolve(Buffer.alloc(10_000));
      }
    };
    const opening = archiveImage(endless()).open(newContext(), abort.signal);
    await expect(opening).rejects.toBe(reason);
    expect(pieceCount).toBeLessThan(100);
  });

  test('comes before anything is read', async () => {
    const reason = new Error('enough');
    const opening = archiveImage('nowhere').open(newContext(), AbortSignal.abort(reason));
    await expect(opening).rejects.toBe(reason);
  });
});

test('a stream that fails is E_SOURCE_UNREADABLE, even before anybody reads it', async () => {
  const stream = new Readable({ read: () => undefined });
  const source = archiveImage(stream, { label: 'pipe' });
  stream.destroy(new Error('broken pipe'));
  await expect(source.open(newContext(), signal)).rejects.toMatchObject({
    code: 'E_SOURCE_UNREADABLE',
    message: expect.stringContaining('pipe: broken pipe') as string,
  });
});

test('a temporary directory that cannot be written is told of as that', async () => {
  const context = { ...newContext(), temporaryDirectory: () => Promise.resolve('/nowhere/at/all') };
  const opening = archiveImage(Readable.from([archive])).open(context, signal);
  await expect(opening).rejects.toMatchObject({
    code: 'E_TEMPORARY_UNWRITABLE',
    details: { systemCode: 'ENOENT' },
  });
});

test('a link may lead over more than the hundred bytes that a tar header has for it', async () => {
  const [digest] = image.content.keys();
  const bytes = image.content.get(digest ?? 'sha256:');
  if (digest === undefined || bytes === undefined) throw new Error('an image without content');
  const target = `${'very-long-folder-name/'.repeat(8)}blob`;
  const files = [...layoutFiles([{ image }])].filter(([path]) => !path.endsWith(digest.slice(7)));
  const entries: TarEntry[] = [
    ...files.map(([path, body]) => ({ path, body })),
    { path: target, body: bytes, usesPax: true },
    {
      path: `blobs/sha256/${digest.slice(7)}`,
      type: 'SymbolicLink',
      linkpath: `../../${target}`,
      usesPax: true,
    },
  ];
  expectWhole(await readImage(archiveImage(await fileOf(tarOf(entries)))));
});

test('an archive of both kinds keeps all platforms of an index, compressed or not', async () => {
  const platforms = ['amd64', 'arm64'].map((architecture) =>
    sampleImage({
      name: architecture,
      isCompressed: false,
      platform: { os: 'linux', architecture },
    }),
  );
  const index = makeIndex(platforms);
  const files = [...layoutFiles([{ image: index }])];
  const [first] = platforms;
  if (first === undefined) throw new Error('two images');
  const manifest = [{ Config: blobPath(digestOf(first.config)), RepoTags: ['a:1'], Layers: [] }];
  const entries = files.map(([path, body]): TarEntry => ({ path, body }));
  entries.push({ path: 'manifest.json', body: JSON.stringify(manifest) });
  const { graph } = await readImage(archiveImage(await fileOf(tarOf(entries))));
  expect(graph.root.manifest.digest).toBe(index.descriptor.digest);
  expect(graph.nodes).toHaveLength(3);
});

test('a stream that is refused by its first bytes is let go', async () => {
  const zstd = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.alloc(100)]);
  const stream = Readable.from([zstd, zstd, zstd]);
  const opening = archiveImage(stream).open(newContext(), signal);
  await expect(opening).rejects.toMatchObject({ code: 'E_IMAGE_UNSUPPORTED' });
  expect(stream.destroyed).toBe(true);
});
