import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { VerificationEvent, VerificationRequest } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { makeImage, makeIndex, memoryImage } from '../image/memory-image.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { callCounts, expectFailure } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig, type UploadRig } from './upload-rig.ts';

const image = makeImage({
  layers: [layerBytes(2 * MIB), layerBytes(700, 2)],
  foreign: [layerBytes(40, 3)],
  platform: { os: 'linux', architecture: 'amd64' },
});
const index = makeIndex([
  image,
  makeImage({ layers: [layerBytes(5, 4)], platform: { os: 'linux', architecture: 'arm64' } }),
]);

async function pushed(rig: UploadRig, tag = 'v1') {
  const source = memoryImage(index);
  await rig.uploader.pushImage({ repository: REPOSITORY, image: source, tags: [tag] });
  rig.emulator.journal.clear();
}

function verify(rig: UploadRig, request: Partial<VerificationRequest> = {}) {
  return rig.uploader.verifyImage({ repository: REPOSITORY, reference: 'v1', ...request });
}

describe('verifyImage', () => {
  test('reads every manifest and blob back, foreign layers left out', async () => {
    await using rig = await startRig();
    await pushed(rig);
    const events: VerificationEvent[] = [];
    const found = await rig.uploader.verifyImage(
      { repository: REPOSITORY, reference: 'v1' },
      { onEvent: (event) => events.push(event) },
    );
    expect(found).toMatchObject({ digest: index.descriptor.digest, comparedWithSource: false });
    expect(found.manifests).toHaveLength(3);
    expect(found.blobs.filter(({ outcome }) => outcome === 'verified')).toHaveLength(5);
    expect(found.blobs.filter(({ outcome }) => outcome === 'foreign')).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual([
      'verification-started',
      ...Array.from({ length: 5 }, () => 'blob-verified'),
    ]);
    expect(callCounts(rig.emulator)['GetDownloadUrlForLayer']).toBe(5);
  });

  test('takes a digest as well', async () => {
    await using rig = await startRig();
    await pushed(rig);
    const { digest } = index.descriptor;
    expect(await verify(rig, { reference: digest })).toMatchObject({ digest });
  });

  test('compares with a source', async () => {
    await using rig = await startRig();
    await pushed(rig);
    const same = await verify(rig, { image: memoryImage(index) });
    expect(same.comparedWithSource).toBe(true);
    const other = memoryImage(makeImage({ layers: [layerBytes(6, 9)] }), [], 'other');
    const error = await expectFailure(verify(rig, { image: other }), 'E_VERIFICATION_FAILED');
    expect(error.details.problems[0]).toContain(`${REPOSITORY} v1 is ${index.descriptor.digest}`);
    expect(error.details.problems.length).toBeGreaterThan(2);
  });

  test('tells of an image that is not there', async () => {
    await using rig = await startRig();
    const error = await expectFailure(verify(rig), 'E_VERIFICATION_FAILED');
    expect(error.details.problems).toEqual([`v1 is not in ${REPOSITORY}`]);
  });

  test('finds every blob whose bytes are not what they should be', async () => {
    using folder = temporaryFolder();
    const dataDirectory = folder.path;
    await using rig = await startRig({ emulator: { dataDirectory } });
    await pushed(rig);
    await expect(verify(rig)).resolves.toBeDefined();
    await damage(dataDirectory, 700);
    await damage(dataDirectory, 2 * MIB);
    const error = await expectFailure(verify(rig), 'E_VERIFICATION_FAILED');
    expect(error.details.problems).toHaveLength(2);
    for (const problem of error.details.problems) expect(problem).toContain('has the digest');
  });

  test('ends at once on an abort', async () => {
    await using rig = await startRig();
    await pushed(rig);
    const abort = new AbortController();
    const reason = new Error('enough');
    const verifying = rig.uploader.verifyImage(
      { repository: REPOSITORY, reference: 'v1' },
      { signal: abort.signal, onEvent: () => abort.abort(reason) },
    );
    await expect(verifying).rejects.toBe(reason);
  });
});

/** Changes one byte of every stored file of this size. */
async function damage(folder: string, sizeBytes: number): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.length !== sizeBytes) continue;
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
}

test('a verification that fails reads nothing more', async () => {
  const layers = Array.from({ length: 30 }, (_, count) => layerBytes(100, count + 1));
  const many = makeImage({ layers });
  await using rig = await startRig();
  const request = { repository: REPOSITORY, image: memoryImage(many), tags: ['v1'] };
  await rig.uploader.pushImage(request);
  const exception = 'AccessDeniedException';
  rig.emulator.addFaults([
    { operation: 'GetDownloadUrlForLayer', nth: 3, action: { kind: 'fail', exception } },
  ]);
  const types: string[] = [];
  const verifying = rig.uploader.verifyImage(
    { repository: REPOSITORY, reference: 'v1' },
    { onEvent: ({ type }) => types.push(type) },
  );
  await expectFailure(verifying, 'E_ACCESS_DENIED');
  const countAtEnd = types.length;
  await rig.uploader.close();
  expect(types).toHaveLength(countAtEnd);
  expect(countAtEnd).toBeLessThan(12);
});

test('referrers are verified where that is asked for', async () => {
  const signature = makeImage({
    layers: [layerBytes(60, 7)],
    subject: index.descriptor,
    artifactType: 'application/vnd.example.signature',
  });
  const signed = memoryImage(index, [signature]);
  await using rig = await startRig();
  const pushRequest = { repository: REPOSITORY, image: signed, tags: ['v1'] };
  await rig.uploader.pushImage(pushRequest);
  const request = { image: signed, referrers: true };
  const error = await expectFailure(verify(rig, request), 'E_VERIFICATION_FAILED');
  expect(error.details.problems[0]).toContain(signature.descriptor.digest);
  await rig.uploader.pushImage({ ...pushRequest, referrers: true });
  const found = await verify(rig, request);
  expect(found.manifests).toHaveLength(4);
  expect(await verify(rig, { image: signed })).toMatchObject({ comparedWithSource: true });
});
