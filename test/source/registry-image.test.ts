import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { registryImage, type RegistryImageOptions } from '../../src/index.ts';
import type { ImageSource, OpenImage } from '../../src/index.ts';
import { OCI_INDEX } from '../../src/image/media-type.ts';
import { digestOf, type FakeRegistry, startRegistry, wireOf } from '../registry/fake-registry.ts';
import { runNode } from '../package/child-program.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig } from '../uploader/upload-rig.ts';
import { reachedFrom } from '../tidy/import-graph.ts';
import { readModules } from '../tidy/source-tree.ts';
import { quiet } from '../registry/test-surroundings.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longshore-registry-'));
  // Whatever this machine is logged in to.
  vi.stubEnv('DOCKER_CONFIG', folder);
  vi.stubEnv('REGISTRY_AUTH_FILE', undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const settings = { proxy: 'none', retryDelayMs: 1 } as const;

function imageOf(
  { host }: FakeRegistry,
  reference: string,
  options: RegistryImageOptions = {},
): ImageSource {
  return registryImage(`${host}/${reference}`, { ...settings, ...options });
}

/** What a source may use is nothing that this one needs. */
function open(source: ImageSource): Promise<OpenImage> {
  return source.open({} as Parameters<ImageSource['open']>[0], quiet());
}

/** An index of two images and what is attested of the first. */
function putIndex(registry: FakeRegistry): Readonly<Record<'amd64' | 'arm64' | 'index', string>> {
  const [amd64, arm64] = (['amd64', 'arm64'] as const).map((architecture) => {
    const platform = { os: 'linux', architecture };
    return {
      ...registry.putImage('a', architecture, [Buffer.from(architecture)], platform),
      platform,
    };
  });
  if (amd64 === undefined || arm64 === undefined) throw new Error('no images');
  const manifests = [wireOf(amd64), wireOf(arm64)];
  const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  const index = registry.putManifest('a', 'v1', document, OCI_INDEX);
  return { amd64: amd64.digest, arm64: arm64.digest, index: index.digest };
}

describe('an image in a registry', () => {
  test('is what its tag points to', async () => {
    await using registry = await startRegistry();
    const layer = Buffer.from('layer');
    const put = registry.putImage('a', 'v1', [layer]);
    const source = imageOf(registry, 'a:v1');
    expect(source.label).toBe(`${registry.host}/a:v1`);
    const image = await open(source);
    expect(image.root).toEqual(put);
    const bytes = await image.readManifest(image.root, quiet());
    expect(digestOf(bytes)).toBe(put.digest);
    // It was read when the image was opened.
    expect(registry.requests).toHaveLength(1);
    await image.close();
    await image.close();
  });

  test('gives its blobs as layers', async () => {
    await using registry = await startRegistry();
    const layer = Buffer.from('layer');
    registry.putImage('a', 'v1', [layer]);
    const image = await open(imageOf(registry, 'a:v1'));
    const descriptor = registry.putBlob(layer);
    const source = image.blob(descriptor);
    expect(source).toMatchObject({
      digest: descriptor.digest,
      label: `${registry.host}/a@${descriptor.digest}`,
    });
    expect(registry.requests).toHaveLength(1);
    for (let pass = 0; pass < 2; pass += 1) {
      const opened = await source.open(quiet());
      expect(opened).toMatchObject({ sizeBytes: 5, rereadable: true, cheapToReread: false });
      expect(opened.path).toBeUndefined();
      const target = new Uint8Array(3);
      expect(await opened.read(target, 0, quiet())).toBe(3);
      expect(Buffer.from(target).toString()).toBe('lay');
      expect(await opened.read(target, 3, quiet())).toBe(2);
      await opened.assertUnchanged();
      await opened.close();
    }
    await image.close();
    const late = await source.open(quiet());
    const reading = late.read(new Uint8Array(1), 0, quiet());
    await expect(reading).rejects.toMatchObject({ code: 'E_CLOSED' });
    await expect.poll(() => registry.connectionCount()).toBe(0);
  });

  test('named by a digest is that one, whatever the tag', async () => {
    await using registry = await startRegistry();
    const old = registry.putImage('a', 'v1', [Buffer.from('old')]);
    registry.putImage('a', 'v1', [Buffer.from('new')]);
    const image = await open(imageOf(registry, `a:v1@${old.digest}`));
    expect(image.root.digest).toBe(old.digest);
    await image.close();
  });

  test('that is an index is taken whole, or for a platform', async () => {
    await using registry = await startRegistry();
    const digests = putIndex(registry);
    const whole = await open(imageOf(registry, 'a:v1'));
    expect(whole.root).toMatchObject({ digest: digests.index, mediaType: OCI_INDEX });
    await whole.close();
    const image = await open(imageOf(registry, 'a:v1', { platform: 'linux/arm64/v8' }));
    expect(image.root).toMatchObject({
      digest: digests.arm64,
      platform: { os: 'linux', architecture: 'arm64' },
    });
    expect(digestOf(await image.readManifest(image.root, quiet()))).toBe(digests.arm64);
    await image.close();
    await expect(
      open(imageOf(registry, 'a:v1', { platform: 'linux/s390x' })),
    ).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      details: { choices: ['linux/amd64', 'linux/arm64'] },
    });
  });

  test('for one platform is not taken for another', async () => {
    await using registry = await startRegistry();
    putIndex(registry);
    const image = await open(imageOf(registry, 'a:arm64', { platform: 'linux/arm64' }));
    await image.close();
    await expect(
      open(imageOf(registry, 'a:arm64', { platform: 'linux/amd64' })),
    ).rejects.toMatchObject({ code: 'E_IMAGE_NOT_FOUND', details: { choices: ['linux/arm64'] } });
  });

  test('that is not there is told so, with the tags there are', async () => {
    await using registry = await startRegistry();
    registry.putImage('a', 'v1', []);
    registry.putImage('a', 'v2', []);
    await expect(open(imageOf(registry, 'a:v3'))).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      details: { source: `${registry.host}/a`, wanted: 'v3', choices: ['v1', 'v2'] },
    });
    await expect(open(imageOf(registry, 'b:v3'))).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      details: { choices: [] },
    });
    await expect.poll(() => registry.connectionCount()).toBe(0);
  });

  test('whose manifests are missing is told so', async () => {
    await using registry = await startRegistry();
    const put = registry.putImage('a', 'v1', []);
    const image = await open(imageOf(registry, 'a:v1'));
    const digest = digestOf(Buffer.from('gone'));
    await expect(image.readManifest({ ...put, digest }, quiet())).rejects.toMatchObject({
      code: 'E_BLOB_MISSING',
      details: { source: `${registry.host}/a:v1`, digest },
    });
    await image.close();
  });

  test('has what refers to it', async () => {
    await using registry = await startRegistry({ hasReferrersApi: true });
    const subject = registry.putImage('a', 'v1', []);
    const config = wireOf(registry.putBlob(Buffer.from('{}')));
    const document = { schemaVersion: 2, config, layers: [], subject: wireOf(subject) };
    const referrer = registry.putManifest('a', 'signature', document);
    const image = await open(imageOf(registry, 'a:v1'));
    expect(await image.referrers(subject.digest, quiet())).toEqual([referrer]);
    await image.close();
  });

  test('is read with the credentials of the options', async () => {
    const login = { username: 'me', password: 'secret' };
    await using registry = await startRegistry({ auth: 'bearer', login });
    registry.putImage('a', 'v1', []);
    const asked: string[] = [];
    const credentials = (host: string): Promise<typeof login> => {
      asked.push(host);
      return Promise.resolve(login);
    };
    const image = await open(imageOf(registry, 'a:v1', { credentials }));
    await image.close();
    expect(asked).toEqual([registry.host]);
  });
});

test('an image is pushed though its downloads break', async () => {
  await using registry = await startRegistry({ redirectsBlobs: true });
  const layers = [layerBytes(12_000_000), layerBytes(300_000)];
  const put = registry.putImage('a', 'v1', layers);
  registry.downloads.push({ cutAfterBytes: 200_000 }, {}, { cutAfterBytes: 6_000_000 }, {});
  await using rig = await startRig();
  const image = imageOf(registry, 'a:v1');
  const receipt = await rig.uploader.pushImage({ repository: REPOSITORY, image, tags: ['v1'] });
  expect(receipt).toMatchObject({ digest: put.digest, outcome: 'pushed' });
  for (const bytes of layers) {
    const stored = await rig.emulator.readLayer(REPOSITORY, digestOf(bytes));
    expect(Buffer.from(stored).equals(bytes)).toBe(true);
  }
});

test('nothing of the HTTP client is loaded before an image is opened', () => {
  const atOnce = reachedFrom('src/index.ts', readModules('src'), ['static']);
  expect(atOnce).toContain('src/source/registry-image.ts');
  expect(atOnce).not.toContain('src/source/registry-open-image.ts');
  expect(atOnce).not.toContain('undici');
});

test('nothing keeps the process alive behind a closed image', async () => {
  await using registry = await startRegistry();
  const layer = Buffer.alloc(5_000_000, 1);
  registry.putImage('a', 'v1', [layer]);
  const program = `
    import { registryImage } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)};
    const { signal } = new AbortController();
    const image = await registryImage('${registry.host}/a:v1', { proxy: 'none' }).open({}, signal);
    const layer = await image.blob(${JSON.stringify(registry.putBlob(layer))}).open(signal);
    await layer.read(new Uint8Array(10), 0, signal);
    await image.close();
    const timers = process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|TLS/.test(name));
    console.log(JSON.stringify(timers));
  `;
  const arguments_ = ['--input-type=module', '--eval', program];
  const result = await runNode(arguments_, { cwd: folder, env: { DOCKER_CONFIG: folder } });
  expect(result).toMatchObject({ exitCode: 0, stdout: '[]\n', stderr: '' });
});

describe('options', () => {
  test.each<[string, string, object]>([
    ['a reference', 'Alpine', {}],
    ['a platform', 'alpine', { platform: 'amd64' }],
    ['a number', 'alpine', { attemptsMax: 0 }],
    ['a name', 'alpine', { attempts: 3 }],
    ['a proxy', 'alpine', { proxy: 'http://proxy' }],
    ['credentials', 'alpine', { credentials: { username: 'a' } }],
    ['a user', 'alpine', { credentials: { username: 'a:b', password: 'c' } }],
  ])('refuse %s that is none', (_name, reference, options) => {
    expect(() => registryImage(reference, options)).toThrow(
      expect.objectContaining({ code: 'E_OPTION_INVALID' }),
    );
  });

  test('say the reference in full', () => {
    expect(registryImage('alpine').label).toBe('docker.io/library/alpine:latest');
  });
});
