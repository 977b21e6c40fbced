import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import { archiveImage, ociLayoutImage } from '../../src/index.ts';
import { isInstalled, withFolder } from '../emulator/foreign-client.ts';
import { REPOSITORY, startRig } from '../uploader/upload-rig.ts';
import { blobsOf, buildDebianImage, must, PLATFORMS, readBlob } from './debian-image.ts';

// Images made by other hands (umoci, skopeo, buildah), of real files, pulled back by other hands.
const hasClients = ['skopeo', 'umoci', 'dpkg'].map(isInstalled).every(Boolean);
const hasBuildah = isInstalled('buildah');
const timeout = 120_000;

function remote(emulator: Emulator, reference: string): string {
  return `docker://${emulator.registryHost}/${REPOSITORY}:${reference}`;
}

function access(emulator: Emulator, side: 'src' | 'dest' | ''): string[] {
  const { username, password } = emulator.dockerCredentials();
  const prefix = side === '' ? '--' : `--${side}-`;
  return [`${prefix}tls-verify=false`, `${prefix}creds=${username}:${password}`];
}

function copy(...args: string[]) {
  return must('skopeo', '--insecure-policy', 'copy', ...args);
}

async function pull(emulator: Emulator, reference: string, folder: string, ...options: string[]) {
  const target = `oci:${folder}:${reference}`;
  await copy(...options, ...access(emulator, 'src'), remote(emulator, reference), target);
}

async function inspect(emulator: Emulator, reference: string) {
  const { stdout } = await must(
    'skopeo',
    'inspect',
    ...access(emulator, ''),
    remote(emulator, reference),
  );
  return JSON.parse(stdout) as { Digest: string; Layers: string[]; Architecture: string };
}

/** Built once: no test changes it. */
let layout = '';
let layoutFolder = '';

beforeAll(async () => {
  if (!hasClients) return;
  layoutFolder = await mkdtemp(join(tmpdir(), 'debian-image-'));
  layout = await buildDebianImage(layoutFolder);
}, timeout);

afterAll(() => rm(layoutFolder, { recursive: true, force: true }));

describe.skipIf(!hasClients)('skopeo', { timeout }, () => {
  test('pulls what we pushed from a layout of umoci, blob by blob the same', () =>
    withFolder(async (folder) => {
      await using rig = await startRig();
      for (const platform of PLATFORMS) {
        const image = ociLayoutImage(layout, { reference: platform });
        await rig.uploader.pushImage({ repository: REPOSITORY, image, tags: [platform] });
        const pulled = join(folder, `pulled-${platform}`);
        await pull(rig.emulator, platform, pulled);
        const blobs = await blobsOf(layout, platform);
        expect(await blobsOf(pulled, platform)).toEqual(blobs);
        for (const digest of blobs) {
          const [ours, theirs] = [await readBlob(layout, digest), await readBlob(pulled, digest)];
          expect(ours.equals(theirs)).toBe(true);
        }
        const { Layers, Architecture } = await inspect(rig.emulator, platform);
        expect(Layers).toEqual(blobs.slice(1));
        expect(Architecture).toBe(platform);
      }
    }));

  test('pushes what our verification then finds whole', async () => {
    await using rig = await startRig();
    const target = remote(rig.emulator, 'theirs');
    await copy(...access(rig.emulator, 'dest'), `oci:${layout}:arm64`, target);
    const found = await rig.uploader.verifyImage({ repository: REPOSITORY, reference: 'theirs' });
    expect(found.blobs).toHaveLength(5);
    expect(found.digest).toBe((await inspect(rig.emulator, 'theirs')).Digest);
    // All of it is there, so our push of the same image sends nothing but the manifest.
    const image = ociLayoutImage(layout, { reference: 'arm64' });
    const receipt = await rig.uploader.pushImage({ repository: REPOSITORY, image });
    expect(receipt.sentBytes).toBe(0);
  });

  test('makes a docker archive whose layers are compressed on the way, the same each time', () =>
    withFolder(async (folder) => {
      const archive = join(folder, 'debian.tar');
      await copy(`oci:${layout}:amd64`, `docker-archive:${archive}:debian:slim`);
      await using rig = await startRig();
      const request = { repository: REPOSITORY, image: archiveImage(archive), tags: ['archive'] };
      const receipt = await rig.uploader.pushImage(request);
      expect(receipt.blobs).toHaveLength(5);
      const pulled = join(folder, 'pulled');
      await pull(rig.emulator, 'archive', pulled);
      expect(await diffIdsOf(pulled, 'archive')).toEqual(await diffIdsOf(layout, 'amd64'));
      const again = await rig.uploader.pushImage(request);
      expect(again).toMatchObject({ outcome: 'already-present', sentBytes: 0 });
    }));

  test('makes an OCI archive that keeps its digests', () =>
    withFolder(async (folder) => {
      const archive = join(folder, 'debian.tar');
      await copy(`oci:${layout}:amd64`, `oci-archive:${archive}:slim`);
      await using rig = await startRig();
      const request = { repository: REPOSITORY, image: archiveImage(archive), tags: ['archive'] };
      await rig.uploader.pushImage(request);
      const { Layers } = await inspect(rig.emulator, 'archive');
      expect(Layers).toEqual((await blobsOf(layout, 'amd64')).slice(1));
    }));
});

describe.skipIf(!hasClients || !hasBuildah)('buildah', { timeout }, () => {
  test('builds an index for two platforms that we push and skopeo pulls whole', () =>
    withFolder(async (folder) => {
      const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
      const buildah = (...args: string[]) => {
        const [command = '', ...rest] = args;
        return must('buildah', ...storage, '--storage-driver', 'vfs', command, ...rest);
      };
      await buildah('manifest', 'create', 'multi');
      for (const platform of PLATFORMS) {
        await buildah('manifest', 'add', 'multi', `oci:${layout}:${platform}`);
      }
      const made = join(folder, 'made');
      await buildah('manifest', 'push', '--all', 'multi', `oci:${made}:multi`);
      await using rig = await startRig();
      const image = ociLayoutImage(made);
      const receipt = await rig.uploader.pushImage({ repository: REPOSITORY, image, tags: ['m'] });
      expect(receipt.manifests.map(({ role }) => role)).toEqual(['child', 'child', 'root']);
      const pulled = join(folder, 'pulled');
      await pull(rig.emulator, 'm', pulled, '--all');
      for (const { digest } of [...receipt.manifests, ...receipt.blobs]) {
        const [ours, theirs] = [await readBlob(made, digest), await readBlob(pulled, digest)];
        expect(ours.equals(theirs)).toBe(true);
      }
    }));
});

/** Digests of the layers before compression, as the image's config has them. */
async function diffIdsOf(folder: string, reference: string): Promise<string[]> {
  const [config = ''] = await blobsOf(folder, reference);
  const bytes = await readBlob(folder, config);
  const { rootfs } = JSON.parse(bytes.toString()) as { rootfs: { diff_ids: string[] } };
  return rootfs.diff_ids;
}
