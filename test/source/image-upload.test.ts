import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import {
  archiveImage,
  bytesSource,
  localImage,
  manifestImage,
  ociLayoutImage,
} from '../../src/index.ts';
import type { ImageSource } from '../../src/index.ts';
import { REPOSITORY, startRig } from '../uploader/upload-rig.ts';
import { oldDockerArchive, sampleImage } from './image-fixture.ts';
import { blobName, layoutFiles, newFolder, writeFiles } from './layout-folder.ts';
import { tarOf } from './tar-fixture.ts';

// Every local source through an uploader with its threads, into the emulator, and compared with it again.
const image = sampleImage({ layers: 3 });
const files = layoutFiles({ image, name: 'app:1.0' });
const archive = tarOf([...files].map(([path, body]) => ({ path, body })));
const { digest } = image.descriptor;

function writeArchive(bytes: Uint8Array): string {
  const path = join(newFolder(), 'app.tar');
  writeFileSync(path, bytes);
  return path;
}

test.each<[string, () => ImageSource]>([
  ['a layout', () => ociLayoutImage(writeFiles(files))],
  ['an archive', () => localImage(writeArchive(archive), { reference: 'app:1.0' })],
  [
    'a manifest and paths',
    () => {
      const folder = writeFiles(files);
      const paths = [...image.content.keys()].map((one) => [one, join(folder, blobName(one))]);
      const blobs = Object.fromEntries(paths) as Record<string, string>;
      return manifestImage({ manifest: blobs[digest] ?? '', blobs });
    },
  ],
  [
    'a manifest and sources',
    () => {
      const bytesOf = (one: string) => image.content.get(one as typeof digest) ?? Buffer.alloc(0);
      return manifestImage({
        manifest: bytesOf(digest),
        blobs: (blob) => bytesSource(bytesOf(blob.digest)),
      });
    },
  ],
])('%s goes to ECR byte for byte', async (_name, make) => {
  await using rig = await startRig();
  const source = make();
  const request = { repository: REPOSITORY, image: source, tags: ['t'] };
  expect(await rig.uploader.pushImage(request)).toMatchObject({ digest, outcome: 'pushed' });
  const found = await rig.uploader.verifyImage({
    repository: REPOSITORY,
    reference: 't',
    image: source,
  });
  expect(found).toMatchObject({ digest, comparedWithSource: true });
  expect(found.blobs).toHaveLength(4);
});

test('a stream of an archive goes to ECR byte for byte', async () => {
  await using rig = await startRig();
  const source = archiveImage(Readable.from([archive.subarray(0, 700), archive.subarray(700)]));
  const receipt = await rig.uploader.pushImage({ repository: REPOSITORY, image: source });
  expect(receipt.digest).toBe(digest);
});

test('what docker save writes is compressed to the same image each time', async () => {
  await using rig = await startRig();
  const path = writeArchive(oldDockerArchive([{ image, tags: ['app:1.0'] }]));
  const request = { repository: REPOSITORY, image: localImage(path), tags: ['t'] };
  const receipt = await rig.uploader.pushImage(request);
  expect(receipt.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  expect(await rig.uploader.pushImage(request)).toMatchObject({
    digest: receipt.digest,
    outcome: 'already-present',
    sentBytes: 0,
  });
});
