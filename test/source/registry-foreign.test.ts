import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { type Descriptor, registryImage } from '../../src/index.ts';
import type { RegistryImageOptions } from '../../src/index.ts';
import { OCI_CONFIG, OCI_IMAGE, OCI_INDEX } from '../../src/image/media-type.ts';
import { readManifest } from '../../src/image/manifest.ts';
import { isInstalled, run, withFolder } from '../emulator/foreign-client.ts';
import { startDockerRegistry } from '../registry/docker-registry.ts';
import { digestOf, wireOf } from '../registry/fake-registry.ts';
import { startTokenServer } from '../registry/token-server.ts';
import { quiet } from '../registry/test-surroundings.ts';

// Registries of other hands, filled by other hands, and what is in them compared byte by byte.
const hasRegistry = ['docker-registry', 'skopeo'].map(isInstalled).every(Boolean);
const hasSkopeo = isInstalled('skopeo');

// Compressed, or skopeo would compress them.
const layers = [randomBytes(3_000_000), randomBytes(70_000), randomBytes(1)].map((bytes) =>
  gzipSync(bytes),
);

/** An OCI layout whose entry `v1` is an index of two images. */
async function writeLayout(folder: string): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, sizeBytes: bytes.length };
  };
  const putJson = (document: object, mediaType: string): Promise<Descriptor> =>
    put(Buffer.from(JSON.stringify(document)), mediaType);
  const manifests: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const config = await putJson(
      { os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } },
      OCI_CONFIG,
    );
    const type = 'application/vnd.oci.image.layer.v1.tar+gzip';
    const descriptors = await Promise.all(layers.map((bytes) => put(bytes, type)));
    const document = {
      schemaVersion: 2,
      mediaType: OCI_IMAGE,
      config: wireOf(config),
      layers: descriptors.map(wireOf),
    };
    const image = await putJson(document, OCI_IMAGE);
    manifests.push({ ...wireOf(image), platform: { os: 'linux', architecture } });
  }
  const index = await putJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...wireOf(index), annotations }] }),
  );
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return index.digest;
}

async function pushWithSkopeo(
  layout: string,
  target: string,
  ...options: readonly string[]
): Promise<void> {
  const { isOk, stderr } = await run('skopeo', [
    '--insecure-policy',
    'copy',
    '--all',
    '--dest-tls-verify=false',
    ...options,
    `oci:${layout}:v1`,
    `docker://${target}`,
  ]);
  if (!isOk) throw new Error(stderr);
}

/** Reads manifests and blobs, and compares each with its digest. */
async function expectWhole(
  reference: string,
  rootDigest: string,
  options: RegistryImageOptions = {},
): Promise<void> {
  const source = registryImage(reference, { proxy: 'none', ...options });
  const context = {} as Parameters<typeof source.open>[0];
  const image = await source.open(context, quiet());
  expect(image.root.digest).toBe(rootDigest);
  const index = readManifest(await image.readManifest(image.root, quiet()), { source: reference });
  expect(index.manifests).toHaveLength(2);
  for (const child of index.manifests) {
    const bytes = await image.readManifest(child, quiet());
    expect(digestOf(bytes)).toBe(child.digest);
    const { config, layers: listed } = readManifest(bytes, { source: reference });
    await Promise.all(
      [config, ...listed].map(async (descriptor) => {
        if (descriptor === undefined) throw new Error('no config');
        const blob = await image.blob(descriptor).open(quiet());
        const target = new Uint8Array(descriptor.sizeBytes + 1);
        expect(await blob.read(target, 0, quiet())).toBe(descriptor.sizeBytes);
        expect(digestOf(target.subarray(0, descriptor.sizeBytes))).toBe(descriptor.digest);
        await blob.close();
      }),
    );
  }
  expect(await image.referrers(index.digest, quiet())).toEqual([]);
  await image.close();
}

describe.skipIf(!hasRegistry)('the registry of the Distribution project', () => {
  test('gives what skopeo pushed, byte by byte', () =>
    withFolder(async (folder) => {
      const layout = join(folder, 'layout');
      const digest = await writeLayout(layout);
      await using registry = await startDockerRegistry(folder);
      await pushWithSkopeo(layout, `${registry.host}/team/app:v1`);
      await expectWhole(`${registry.host}/team/app:v1`, digest);
      const absent = registryImage(`${registry.host}/team/app:v2`, { proxy: 'none' });
      const opening = absent.open({} as Parameters<typeof absent.open>[0], quiet());
      await expect(opening).rejects.toMatchObject({
        code: 'E_IMAGE_NOT_FOUND',
        details: { choices: ['v1'] },
      });
    }));

  test('takes our tokens', () =>
    withFolder(async (folder) => {
      const layout = join(folder, 'layout');
      const digest = await writeLayout(layout);
      const credentials = { username: 'me', password: 'secret' };
      const pair = `${credentials.username}:${credentials.password}`;
      const basic = `Basic ${Buffer.from(pair).toString('base64')}`;
      await using tokens = await startTokenServer(basic);
      await using registry = await startDockerRegistry(folder, tokens);
      await pushWithSkopeo(layout, `${registry.host}/team/app:v1`, `--dest-creds=${pair}`);
      const before = tokens.requests.length;
      await expectWhole(`${registry.host}/team/app:v1`, digest, { credentials });
      // One for all requests.
      expect(tokens.requests.slice(before)).toEqual([
        '/auth?tenant=a&service=the+registry&scope=repository%3Ateam%2Fapp%3Apull',
      ]);
    }));
});

describe.skipIf(!hasSkopeo)('the emulator of ECR', () => {
  test('gives what skopeo pushed, by a login and from another host', () =>
    withFolder(async (folder) => {
      const layout = join(folder, 'layout');
      const digest = await writeLayout(layout);
      await using emulator = await startEmulator({ missingRepository: 'create' });
      const credentials = emulator.dockerCredentials();
      const { username, password } = credentials;
      const target = `${emulator.registryHost}/team/app:v1`;
      await pushWithSkopeo(layout, target, `--dest-creds=${username}:${password}`);
      await expectWhole(target, digest, { credentials });
      const other = registryImage(target, {
        proxy: 'none',
        credentials: { username: 'AWS', password: 'wrong' },
      });
      const opening = other.open({} as Parameters<typeof other.open>[0], quiet());
      await expect(opening).rejects.toMatchObject({ code: 'E_SOURCE_DENIED' });
    }));
});
