import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource, manifestImage } from '../../src/index.ts';
import type { Descriptor, ImagePieces } from '../../src/index.ts';
import { OCI_IMAGE, OCI_INDEX } from '../../src/image/media-type.ts';
import { digestOf, makeImage, makeIndex, type MadeImage } from '../image/memory-image.ts';
import { newFolder, writeFiles } from './layout-folder.ts';
import { newContext, readImage, signal } from './source-context.ts';

const layer = Buffer.from('a layer');
const image = makeImage({ layers: [layer, Buffer.from('another')] });
const manifest = bytesOf(image);

function bytesOf({ descriptor, content }: MadeImage): Uint8Array {
  return content.get(descriptor.digest) ?? new Uint8Array(0);
}

/** The pieces as files named by their digests. */
function pathsOf(made: MadeImage): Record<string, string> {
  const names = [...made.content.keys()].map((digest) => digest.replace(':', '-'));
  const folder = writeFiles(new Map(names.map((name, at) => [name, nth(made, at)])));
  return Object.fromEntries(
    [...made.content.keys()].map((digest, at) => [digest, join(folder, names[at] ?? '')]),
  );
}

function nth(made: MadeImage, at: number): Uint8Array {
  return [...made.content.values()][at] ?? new Uint8Array(0);
}

describe('an image in pieces', () => {
  test('of a manifest in a file and blobs by their paths is whole', async () => {
    const blobs = pathsOf(image);
    const path = blobs[image.descriptor.digest] ?? '';
    const source = manifestImage({ manifest: path, blobs });
    expect(source.label).toBe(path);
    const { graph, content } = await readImage(source);
    expect(graph.root.descriptor).toEqual({ ...image.descriptor });
    expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
    for (const [digest, bytes] of content) expect(digestOf(bytes)).toBe(digest);
  });

  test('may have its blobs from a function, once each, as paths or as sources', async () => {
    const paths = pathsOf(image);
    const asked: string[] = [];
    const blobs = ({ digest }: Descriptor) => {
      asked.push(digest);
      return digest === digestOf(layer) ? bytesSource(layer, { label: 'mine' }) : paths[digest];
    };
    const source = manifestImage({ manifest, blobs, label: 'build' });
    const { content } = await readImage(source);
    expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
    expect(asked).toHaveLength(new Set(asked).size);
    const opened = await source.open(newContext(), signal);
    expect(opened.blob(descriptorOf(layer))).toMatchObject({
      label: 'mine',
      digest: digestOf(layer),
    });
  });

  test('tells the platform that its config has', async () => {
    const config = Buffer.from('{"os":"linux","architecture":"arm64","variant":"v8"}');
    const made = makeImage({ layers: [layer], config });
    const source = manifestImage({ manifest: bytesOf(made), blobs: pathsOf(made) });
    const { root } = await source.open(newContext(), signal);
    expect(root.platform).toEqual({ os: 'linux', architecture: 'arm64', variant: 'v8' });
  });

  test.each<[string, () => ImagePieces['manifests']]>([
    ['in memory', () => ({ [image.descriptor.digest]: manifest })],
    ['in a file', () => only(pathsOf(image), image)],
    ['among the blobs', () => ({})],
  ])('may be an index, with its images %s', async (_where, manifestsOf) => {
    const index = makeIndex([image]);
    const manifests = manifestsOf() ?? {};
    const blobs = Object.fromEntries(
      Object.entries(pathsOf(index)).filter(([digest]) => !Object.hasOwn(manifests, digest)),
    );
    const source = manifestImage({ manifest: bytesOf(index), blobs, manifests });
    const { graph, content } = await readImage(source);
    expect(graph.root.manifest.mediaType).toBe(OCI_INDEX);
    expect(new Set(content.keys())).toEqual(new Set(index.content.keys()));
  });

  test('has as referrers those of its manifests that refer to it', async () => {
    const signature = makeImage({
      layers: [Buffer.from('signed')],
      subject: image.descriptor,
      artifactType: 'application/vnd.example.signature',
    });
    const source = manifestImage({
      manifest,
      blobs: { ...pathsOf(image), ...pathsOf(signature) },
      manifests: { [signature.descriptor.digest]: bytesOf(signature) },
    });
    const { graph } = await readImage(source, { referrers: true });
    expect(graph.nodes.map(({ role }) => role)).toEqual(['root', 'referrer']);
  });

  test('takes the media type that it is given for a manifest that does not say it', async () => {
    const silent = Buffer.from(
      Buffer.from(manifest).toString().replace(`"mediaType":"${OCI_IMAGE}",`, ''),
    );
    const blobs = pathsOf(image);
    const docker = 'application/vnd.docker.distribution.manifest.v2+json';
    const typeOf = async (pieces: Partial<ImagePieces>): Promise<string> => {
      const source = manifestImage({ manifest: silent, blobs, ...pieces });
      return (await source.open(newContext(), signal)).root.mediaType;
    };
    expect(await typeOf({})).toBe(OCI_IMAGE);
    expect(await typeOf({ mediaType: docker })).toBe(docker);
  });
});

function only(paths: Record<string, string>, { descriptor }: MadeImage): Record<string, string> {
  return { [descriptor.digest]: paths[descriptor.digest] ?? '' };
}

function descriptorOf(bytes: Uint8Array): Descriptor {
  return { mediaType: 'a/b', digest: digestOf(bytes), sizeBytes: bytes.length };
}

describe('pieces that do not fit are told of before anything is sent', () => {
  const blobs = (pieces: Record<string, unknown>): ImagePieces['blobs'] =>
    pieces as Record<string, string>;

  test.each<[string, () => Partial<ImagePieces>, string, RegExp]>([
    ['no blob', () => ({ blobs: {} }), 'E_BLOB_MISSING', /does not have it/],
    ['a path that is not there', () => ({ blobs: () => '/none/x' }), 'E_BLOB_MISSING', /make it/],
    ['a folder', () => ({ blobs: () => newFolder() }), 'E_SOURCE_UNREADABLE', /regular file/],
    [
      'a blob that is too long',
      () => {
        const paths = pathsOf(image);
        writeFileSync(paths[digestOf(layer)] ?? '', 'much longer than it should be');
        return { blobs: paths };
      },
      'E_IMAGE_INVALID',
      /should have 7 bytes and has 29/,
    ],
    [
      'a source of another digest',
      () => ({ blobs: () => bytesSource(layer, { digest: digestOf(Buffer.from('x')) }) }),
      'E_IMAGE_INVALID',
      /of another digest/,
    ],
    [
      'a function that throws',
      () => ({
        blobs: () => {
          throw new Error('not today');
        },
      }),
      'E_SOURCE_UNREADABLE',
      /not today/,
    ],
    [
      'a function that gives something else',
      () => ({ blobs: (() => 7) as unknown as () => string }),
      'E_SOURCE_UNREADABLE',
      /neither a path nor a LayerSource/,
    ],
    [
      'a manifest that is not there',
      () => ({ manifest: '/none/m' }),
      'E_SOURCE_UNREADABLE',
      /none/,
    ],
    [
      'a manifest that is nothing',
      () => ({ manifest: Buffer.from('hello') }),
      'E_IMAGE_INVALID',
      /not JSON/,
    ],
    [
      'a manifest of a gigabyte',
      () => {
        const path = join(newFolder(), 'manifest.json');
        writeFileSync(path, '{}');
        truncateSync(path, 2 ** 30);
        return { manifest: path };
      },
      'E_IMAGE_UNSUPPORTED',
      /1073741824 bytes/,
    ],
    [
      'manifest bytes beyond what ECR takes',
      () => ({ manifest: new Uint8Array(4 * 1024 * 1024 + 1) }),
      'E_IMAGE_UNSUPPORTED',
      /at most/,
    ],
    ['another media type', () => ({ mediaType: OCI_INDEX }), 'E_IMAGE_INVALID', /referred to as/],
  ])('%s', async (_name, change, code, message) => {
    const pieces = { manifest, blobs: pathsOf(image), label: 'here', ...change() };
    await expect(readImage(manifestImage(pieces))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('a child of an index that is nowhere is E_BLOB_MISSING', async () => {
    const index = makeIndex([image]);
    await expect(
      readImage(manifestImage({ manifest: bytesOf(index), blobs: {} })),
    ).rejects.toMatchObject({ code: 'E_BLOB_MISSING' });
  });

  test.each([
    ['a key that is no digest', { blobs: { 'sha256:1': 'x' } }],
    ['a path that is a number', { blobs: blobs({ [digestOf(layer)]: 3 }) }],
    ['no blobs', { blobs: undefined }],
    ['an empty manifest path', { manifest: '' }],
    ['an empty media type', { mediaType: '' }],
    ['manifests by name', { manifests: { app: 'x' } }],
    ['an unknown option', { layers: [] }],
  ])('%s is E_OPTION_INVALID at once', (_name, change) => {
    const pieces = { manifest, blobs: {}, ...change } as ImagePieces;
    expect(() => manifestImage(pieces)).toThrow(
      expect.objectContaining({ code: 'E_OPTION_INVALID' }),
    );
  });
});
