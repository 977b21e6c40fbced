import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { archiveImage } from '../../src/index.ts';
import { DOCKER_IMAGE } from '../../src/image/media-type.ts';
import { isInstalled, run } from '../emulator/foreign-client.ts';
import { digestOf } from '../image/memory-image.ts';
import { sampleImage, writeOciLayout } from './image-fixture.ts';
import { newFolder, writeFiles } from './layout-folder.ts';
import { readImage } from './source-context.ts';

// Archives that were written by other hands than the fixture's.
const image = sampleImage({ layers: 3 });
const other = sampleImage({ name: 'other' });

async function must(program: string, ...args: string[]): Promise<void> {
  const { isOk, stderr } = await run(program, args);
  if (!isOk) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

async function newLayout(): Promise<string> {
  const layout = newFolder();
  await writeOciLayout(layout, [
    { image, reference: 'app' },
    { image: other, reference: 'other' },
  ]);
  return layout;
}

describe.skipIf(!isInstalled('skopeo'))('skopeo', () => {
  function copy(from: string, to: string, ...options: string[]): Promise<void> {
    return must('skopeo', '--insecure-policy', 'copy', ...options, from, to);
  }

  test('writes oci-archive, of which every manifest stays byte for byte', async () => {
    const path = join(newFolder(), 'archive.tar');
    await copy(`oci:${await newLayout()}:app`, `oci-archive:${path}:app:1.0`);
    const { graph, content } = await readImage(archiveImage(path, { reference: 'app:1.0' }));
    expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
    expect(new Set(content.keys())).toEqual(new Set(image.content.keys()));
  });

  test('writes docker-archive, whose layers have the diffIDs of the image', async () => {
    const path = join(newFolder(), 'archive.tar');
    const more = ['--additional-tag', 'docker.io/team/app:latest'];
    await copy(`oci:${await newLayout()}:app`, `docker-archive:${path}:app:1.0`, ...more);
    for (const reference of [undefined, 'app:1.0', 'team/app']) {
      const choice = reference === undefined ? {} : { reference };
      const { graph, content } = await readImage(archiveImage(path, choice));
      const { manifest } = graph.root;
      expect(manifest.mediaType).toBe(DOCKER_IMAGE);
      const layers = manifest.layers.map(({ digest }) => content.get(digest) ?? new Uint8Array());
      expect(layers.map((layer) => digestOf(gunzipSync(layer)))).toEqual(image.diffIds);
    }
  });

  test('reads what we make of a docker-archive', async () => {
    const folder = newFolder();
    const path = join(folder, 'archive.tar');
    await copy(`oci:${await newLayout()}:other`, `docker-archive:${path}`);
    const { graph, content } = await readImage(archiveImage(path));
    // The form in which skopeo keeps images of Docker's types on disk.
    const blobs = [...content].map(([digest, bytes]): [string, Uint8Array] => [
      digest.slice('sha256:'.length),
      bytes,
    ]);
    const directory = new Map<string, Uint8Array>([
      ...blobs,
      ['version', Buffer.from('Directory Transport Version: 1.1\n')],
      ['manifest.json', graph.root.manifest.bytes],
    ]);
    const made = writeFiles(directory);
    await copy(`dir:${made}`, `docker-archive:${join(folder, 'again.tar')}:x:1`);
    const again = await readImage(archiveImage(join(folder, 'again.tar')));
    expect(again.graph.root.manifest.layers).toEqual(graph.root.manifest.layers);
  });
});

describe.skipIf(!isInstalled('tar'))('GNU tar', () => {
  async function layoutOfOne(): Promise<string> {
    const layout = newFolder();
    await writeOciLayout(layout, [{ image }]);
    return layout;
  }

  test.each(['v7', 'oldgnu', 'gnu', 'ustar', 'posix'])('writes a layout as %s', async (format) => {
    const path = join(newFolder(), 'archive.tar');
    await must('tar', `--format=${format}`, '-C', await layoutOfOne(), '-cf', path, '.');
    const { graph } = await readImage(archiveImage(path));
    expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
  });

  test('writes a layout compressed', async () => {
    const path = join(newFolder(), 'archive.tar.gz');
    await must('tar', '-C', await layoutOfOne(), '-czf', path, 'oci-layout', 'index.json', 'blobs');
    const { graph } = await readImage(archiveImage(path));
    expect(graph.root.manifest.digest).toBe(image.descriptor.digest);
  });
});
