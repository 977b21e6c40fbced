import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { archiveImage } from '../../src/index.ts';
import type { ArchiveImageOptions } from '../../src/index.ts';
import { DOCKER_IMAGE, OCI_IMAGE } from '../../src/image/media-type.ts';
import { digestOf } from '../image/memory-image.ts';
import {
  type DockerImage,
  newDockerArchive,
  oldDockerArchive,
  type SampleImage,
  sampleImage,
  sampleLayer,
} from './image-fixture.ts';
import { newFolder } from './layout-folder.ts';
import { newContext, readImage } from './source-context.ts';
import { tarOf } from './tar-fixture.ts';

const app = sampleImage({ name: 'app', isCompressed: false });
const other = sampleImage({
  name: 'other',
  isCompressed: false,
  platform: { os: 'linux', architecture: 'arm64' },
});

async function read(
  archive: Buffer,
  options: ArchiveImageOptions = {},
  context = newContext(),
): Promise<Awaited<ReturnType<typeof readImage>>> {
  const path = join(newFolder(), 'archive.tar');
  await writeFile(path, archive);
  return readImage(archiveImage(path, { label: 'archive', ...options }), { context });
}

async function expectImage(reading: ReturnType<typeof read>, expected: SampleImage): Promise<void> {
  const { graph, content } = await reading;
  const { manifest, descriptor } = graph.root;
  expect(manifest.mediaType).toBe(DOCKER_IMAGE);
  expect(manifest.config?.digest).toBe(digestOf(expected.config));
  expect(content.get(digestOf(expected.config))).toEqual(new Uint8Array(expected.config));
  const layers = expected.tars.map((tar) => digestOf(gzipSync(tar, { level: 1 })));
  expect(manifest.layers.map(({ digest }) => digest)).toEqual(layers);
  expect(descriptor.platform).toMatchObject({ os: 'linux' });
}

describe.each([
  ['an old engine', oldDockerArchive],
  ['a new engine', newDockerArchive],
])('docker save of %s', (_name, archiveOf) => {
  test('gives its config as it is and its layers compressed', () =>
    expectImage(read(archiveOf([{ image: app, tags: ['app:1.0'] }])), app));

  test.each<[string, ArchiveImageOptions, SampleImage]>([
    ['its name', { reference: 'app:1.0' }, app],
    ['its name in full', { reference: 'docker.io/library/app:1.0' }, app],
    ['another of its names', { reference: 'team/app:1.0' }, app],
    ['a name without a tag', { reference: 'other' }, other],
    ['its id', { digest: digestOf(other.config) }, other],
    ['its platform', { platform: 'linux/arm64' }, other],
  ])('has several images, of which one is chosen by %s', (_how, options, expected) => {
    const images = [
      { image: app, tags: ['app:1.0', 'team/app:1.0'] },
      { image: other, tags: ['other:latest'] },
    ];
    return expectImage(read(archiveOf(images), options), expected);
  });

  test('has several images and none was chosen: they are listed', async () => {
    const reading = read(archiveOf([{ image: app, tags: ['app:1.0'] }, { image: other }]));
    await expect(reading).rejects.toMatchObject({
      code: 'E_IMAGE_AMBIGUOUS',
      details: { choices: [expect.stringContaining('1.0'), expect.stringContaining('arm64')] },
    });
  });

  test('is asked for another image: those there are are listed', async () => {
    const reading = read(archiveOf([{ image: app, tags: ['app:1.0'] }]), { reference: 'app:2.0' });
    await expect(reading).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      details: { choices: [expect.stringContaining('1.0')] },
    });
  });

  test('has a name that would steer a terminal: the message does not', async () => {
    const tags = ['app:\u001b[2J\n1.0'];
    const reading = read(archiveOf([{ image: app, tags }]), { reference: 'none' });
    await expect(reading).rejects.toMatchObject({
      message: expect.stringMatching(/has:\n {2}app:\ufffd\[2J\ufffd1\.0 {2}\(.*\)$/) as string,
    });
  });

  test('has a layer that is not what the config says', async () => {
    const damaged = { ...app, diffIds: app.diffIds, config: other.config };
    const reading = read(archiveOf([{ image: damaged }]), { format: 'docker' });
    await expect(reading).rejects.toMatchObject({
      code: archiveOf === oldDockerArchive ? 'E_DIGEST_MISMATCH' : 'E_BLOB_MISSING',
    });
  });
});

test('layers that images share are compressed once, and empty ones as well', async () => {
  // What old engines wrote for layers in which nothing changed: 1024 zeros.
  const empty = tarOf([]);
  const tars = [empty, sampleLayer('one'), empty, empty];
  const image = sampleImage({ layers: tars, isCompressed: false });
  const context = newContext();
  await expectImage(read(oldDockerArchive([{ image }]), {}, context), image);
  expect(context.compressed.length).toBe(2);
});

test('the manifest is the same each time, and says no more than it must', async () => {
  const first = await read(oldDockerArchive([{ image: app, tags: ['a:1'] }]));
  const second = await read(newDockerArchive([{ image: app }]));
  expect(second.graph.root.manifest.digest).toBe(first.graph.root.manifest.digest);
  const text = new TextDecoder().decode(first.graph.root.manifest.bytes);
  const layers = app.tars.map((tar) => gzipSync(tar, { level: 1 }));
  expect(text).toBe(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_IMAGE,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: app.config.length,
        digest: digestOf(app.config),
      },
      layers: layers.map((layer) => ({
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        size: layer.length,
        digest: digestOf(layer),
      })),
    }),
  );
});

describe('layers that are compressed already', () => {
  const gzip = gzipSync(sampleLayer('gzip'));
  // Nobody looks further than the magic number.
  const zstd = Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(600, 7)]);

  function archiveOf(layers: readonly Buffer[]): Buffer {
    const config = sampleImage({ layers }).config;
    const names = layers.map((_, index) => `layer-${index}`);
    const manifest = [{ Config: 'config.json', RepoTags: null, Layers: names }];
    return tarOf([
      ...layers.map((body, index) => ({ path: `layer-${index}`, body })),
      { path: 'config.json', body: config },
      { path: 'manifest.json', body: JSON.stringify(manifest) },
    ]);
  }

  test('with gzip are taken as they are', async () => {
    const context = newContext();
    const { graph, content } = await read(archiveOf([gzip]), {}, context);
    expect(graph.root.manifest.mediaType).toBe(DOCKER_IMAGE);
    expect(content.get(digestOf(gzip))).toEqual(gzip);
    expect(context.compressed).toEqual([]);
  });

  test('with zstd make it an OCI image, for Docker has no type for them', async () => {
    const { graph } = await read(archiveOf([zstd, gzip, sampleLayer('plain')]));
    const { mediaType, config, layers } = graph.root.manifest;
    expect(mediaType).toBe(OCI_IMAGE);
    expect(config?.mediaType).toBe('application/vnd.oci.image.config.v1+json');
    expect(layers.map((layer) => layer.mediaType)).toEqual([
      'application/vnd.oci.image.layer.v1.tar+zstd',
      'application/vnd.oci.image.layer.v1.tar+gzip',
      'application/vnd.oci.image.layer.v1.tar+gzip',
    ]);
  });
});

describe('an archive that is both', () => {
  test('is taken byte for byte where its layers are compressed', async () => {
    const image = sampleImage({ name: 'compressed' });
    const { graph } = await read(newDockerArchive([{ image, tags: ['app:1.0'] }]));
    expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
  });

  test('is taken byte for byte on request', async () => {
    const { graph } = await read(newDockerArchive([{ image: app }]), { format: 'oci' });
    expect(graph.root.manifest.digest).toBe(app.descriptor.digest);
  });

  test('is an image of docker save where it has the digest of its OCI manifest as well', () =>
    expectImage(
      read(newDockerArchive([{ image: app }, { image: other }]), {
        digest: app.descriptor.digest,
      }),
      app,
    ));
});

describe('a manifest.json that is wrong', () => {
  const layer = sampleLayer('layer');
  const saved: DockerImage['image'] = sampleImage({ layers: [layer] });

  function readSaved(manifest: unknown, config: string | Buffer = saved.config) {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    const archive = tarOf([
      { path: 'config.json', body: config },
      { path: 'layer.tar', body: layer },
      { path: 'manifest.json', body },
    ]);
    return read(archive);
  }

  test.each<[string, unknown, string, RegExp]>([
    ['is no JSON', '[', 'E_IMAGE_INVALID', /manifest\.json: it is not JSON/],
    ['is no list', {}, 'E_IMAGE_INVALID', /not a list of images/],
    ['is empty', [], 'E_IMAGE_NOT_FOUND', /no image/],
    ['lists no object', ['x'], 'E_IMAGE_INVALID', /\[0\] is no object/],
    ['has no config', [{ Layers: [] }], 'E_IMAGE_INVALID', /\[0\]\.Config/],
    [
      'has layers of another kind',
      [{ Config: 'config.json', Layers: [1] }],
      'E_IMAGE_INVALID',
      /Layers/,
    ],
    [
      'has a layer too many',
      [{ Config: 'config.json', Layers: ['layer.tar', 'layer.tar'] }],
      'E_IMAGE_INVALID',
      /names 1 layers, and manifest\.json has 2/,
    ],
    ['names no config', [{ Config: 'none', Layers: [] }], 'E_IMAGE_INVALID', /not there/],
    [
      'names a config that is missing by its digest',
      [{ Config: `${'a'.repeat(64)}.json`, Layers: [] }],
      'E_BLOB_MISSING',
      /aaaa/,
    ],
    [
      'names a layer that is not there',
      [{ Config: 'config.json', Layers: ['none'] }],
      'E_BLOB_MISSING',
      /incomplete/,
    ],
    [
      'names files outside',
      [{ Config: '../../../../etc/passwd', Layers: [] }],
      'E_IMAGE_INVALID',
      /not there/,
    ],
  ])('%s', async (_name, manifest, code, message) => {
    await expect(readSaved(manifest)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('belongs to a config without diffIDs', async () => {
    const manifest = [{ Config: 'config.json', Layers: ['layer.tar'] }];
    await expect(readSaved(manifest, '{"rootfs":{}}')).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
    });
    await expect(readSaved(manifest, '{"rootfs":{"diff_ids":[7]}}')).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
    });
  });

  test('has more layers than ECR takes: none is compressed', async () => {
    const layers = Array.from({ length: 501 }, () => layer);
    const image = sampleImage({ layers, isCompressed: false });
    const context = newContext();
    await expect(read(oldDockerArchive([{ image }]), {}, context)).rejects.toMatchObject({
      code: 'E_IMAGE_UNSUPPORTED',
    });
    expect(context.compressed).toEqual([]);
  });
});

test('a compression that fails ends the others, and is what one is told of', async () => {
  const image = sampleImage({ layers: 3, isCompressed: false });
  const context = newContext();
  const failure = new Error('no room');
  const reasons: unknown[] = [];
  let count = 0;
  const reading = read(
    oldDockerArchive([{ image }]),
    {},
    {
      ...context,
      compress: (_input, signal) => {
        count += 1;
        if (count === 1) return Promise.reject(failure);
        return new Promise((_resolve, reject) => {
          const end = (): void => {
            reasons.push(signal.reason);
            reject(signal.reason as Error);
          };
          if (signal.aborted) end();
          else signal.addEventListener('abort', end);
        });
      },
    },
  );
  await expect(reading).rejects.toBe(failure);
  expect(reasons).toEqual([failure, failure]);
});
