import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.ts';
import type { ImagePlan, ImageReceipt } from '../../src/index.ts';
import {
  blobPath,
  newDockerArchive,
  sampleImage,
  type SampleImage,
  writeOciLayout,
} from '../source/image-fixture.ts';
import { type Ended, environmentOf, spawnCli } from './spawned-cli.ts';

let emulator: Emulator;
let directory: string;
let layout: string;
let image: SampleImage;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longshore-cli-'));
  layout = join(directory, 'layout');
  image = sampleImage({ layers: 3 });
  await writeOciLayout(layout, [{ image, reference: 'v1' }]);
  emulator = await startEmulator();
});
afterAll(async () => {
  await emulator.stop();
  await rm(directory, { recursive: true, force: true });
});

function longshore(words: readonly string[], input?: Uint8Array): Promise<Ended> {
  return spawnCli(words, environmentOf(emulator), input).ended;
}

test('a layout is pushed, then found present, and verified', async () => {
  const words = ['push', layout, 'cli/layout:1', '--create-repository'];
  const first = await longshore([...words, '--tag', 'latest']);
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stdout).toBe(`cli/layout@${image.descriptor.digest} pushed 1 latest\n`);
  expect(first.stderr).toContain('3 layers: 3 uploaded;');
  expect(first.stderr).not.toMatch(/warning/i);
  const second = await longshore([...words, '--json', '--quiet']);
  expect(second).toMatchObject({ exitCode: 0, stderr: '' });
  const receipt = JSON.parse(second.stdout) as ImageReceipt;
  expect(receipt).toMatchObject({
    digest: image.descriptor.digest,
    outcome: 'already-present',
    sentBytes: 0,
  });
  const verified = await longshore(['verify', 'cli/layout:latest', `oci:${layout}:v1`]);
  expect(verified).toMatchObject({ exitCode: 0 });
  expect(verified.stdout).toBe(`cli/layout@${image.descriptor.digest} verified latest\n`);
  expect(verified.stderr).toContain('digests as in the source');
});

test('a dry run tells what would travel, and nothing does', async () => {
  const words = ['push', layout, 'cli/dry:1', '--create-repository', '--dry-run'];
  const { exitCode, stdout } = await longshore(words);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('4 blobs: 4 to upload');
  expect(stdout).toContain('the repository does not exist yet');
  const { stdout: json } = await longshore([...words, '--json']);
  const plan = JSON.parse(json) as ImagePlan;
  expect(plan.blobs.map(({ action }) => action)).toEqual(Array(4).fill('upload'));
});

test('an archive comes from standard input', async () => {
  const archive = newDockerArchive([{ image, tags: ['app:1'] }]);
  const words = ['push', '-', 'cli/stdin:1', '--create-repository', '--json'];
  const { exitCode, stdout } = await longshore(words, gzipSync(archive));
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'pushed', tags: [{ tag: '1' }] });
});

test('an image in pieces is pushed byte for byte', async () => {
  const manifest = join(layout, blobPath(image.descriptor.digest));
  const blobs = ['--blob-directory', join(layout, 'blobs')];
  const words = ['push', '--manifest', manifest, ...blobs, 'cli/pieces:1', '--create-repository'];
  const { exitCode, stdout } = await longshore(words);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`cli/pieces@${image.descriptor.digest} pushed 1\n`);
});

test('what another registry has is pushed by its reference', async () => {
  await longshore(['push', layout, 'cli/origin:1', '--create-repository']);
  const reference = `docker://${emulator.registryHost}/cli/origin:1`;
  const login = emulator.dockerCredentials();
  const words = ['push', reference, 'cli/copy:1', '--create-repository'];
  const user = ['--source-username', login.username, '--source-password-stdin'];
  const { exitCode, stdout } = await longshore([...words, ...user], Buffer.from(login.password));
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`cli/copy@${image.descriptor.digest} pushed 1\n`);
});

test('an image that differs from its source is told of, one finding a line', async () => {
  await longshore(['push', layout, 'cli/other:1', '--create-repository']);
  const other = join(directory, 'other');
  await writeOciLayout(other, [{ image: sampleImage({ name: 'other' }) }]);
  const { exitCode, stdout, stderr } = await longshore(['verify', 'cli/other:1', other]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(image.descriptor.digest);
  expect(stderr).toContain('(E_VERIFICATION_FAILED)');
});

test('a repository that is missing, and a tag that is, are told with their codes', async () => {
  const pushed = await longshore(['push', layout, 'cli/none:1', '--json']);
  expect(pushed.exitCode).toBe(1);
  expect(JSON.parse(pushed.stdout)).toMatchObject({ error: { code: 'E_REPOSITORY_NOT_FOUND' } });
  expect(pushed.stderr).toContain('--create-repository');
  const verified = await longshore(['verify', 'cli/none:1']);
  expect(verified.exitCode).toBe(1);
  expect(verified.stderr).toMatch(/\(E_[A-Z_]+\)/);
  expect(verified.stderr).not.toMatch(/^\s+at /m);
});

test('after Ctrl-C a push ends, and the next one goes on', async () => {
  const big = sampleImage({
    name: 'big',
    layers: [1, 2].map((fill) => Buffer.alloc(100_000, fill)),
  });
  const folder = join(directory, 'big');
  await writeOciLayout(folder, [{ image: big }]);
  await using slow = await startEmulator({
    network: { serviceTimeMs: { UploadLayerPart: 500 } },
  });
  const words = ['push', folder, 'cli/stop:1', '--create-repository', '--layers-in-flight', '1'];
  const cli = spawnCli(words, environmentOf(slow));
  await cli.told('planned');
  cli.child.kill('SIGINT');
  const { exitCode, stdout } = await cli.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
  const next = await spawnCli(words, environmentOf(slow)).ended;
  expect(next.stdout).toBe(`cli/stop@${big.descriptor.digest} pushed 1\n`);
  expect((await readFile(join(folder, 'index.json'), 'utf8')).includes(big.descriptor.digest)).toBe(
    true,
  );
});
