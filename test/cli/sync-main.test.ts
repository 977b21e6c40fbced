import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncReport } from '../../src/cli/sync-functions.ts';
import { type Emulator, startEmulator } from '../../src/emulator/index.ts';
import { sampleImage, type SampleImage, writeOciLayout } from '../source/image-fixture.ts';
import { type Ended, environmentOf, spawnCli, type SpawnedCli } from './spawned-cli.ts';

const SECRET = 'hush-secret-access-key';

let emulator: Emulator;
let directory: string;
let image: SampleImage;
let layout: string;
let config: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longshore-cli-'));
  image = sampleImage({ layers: 3 });
  layout = join(directory, 'layout');
  await writeOciLayout(layout, [
    { image, reference: '1.0' },
    { image: sampleImage({ layers: 2 }), reference: '2.0-rc' },
  ]);
  config = join(directory, 'mirror.yaml');
  await writeFile(config, configOf('cli/{name}'));
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: SECRET };
  emulator = await startEmulator({ credentials });
});
afterAll(async () => {
  await emulator.stop();
  await rm(directory, { recursive: true, force: true });
});

function configOf(to: string): string {
  return `
version: 1
targets:
  prod: {}
mappings:
  - from: 'oci:${layout}'
    to: ${to}
    tags: { exclude: ['*-rc'] }
    createRepository: true
`;
}

function start(...words: readonly string[]): SpawnedCli {
  const folders = { XDG_STATE_HOME: directory, XDG_CACHE_HOME: directory };
  return spawnCli(['sync', ...words], { ...environmentOf(emulator), ...folders });
}

async function longshore(...words: readonly string[]): Promise<Ended> {
  const ended = await start(...words).ended;
  expect(`${ended.stdout}${ended.stderr}`).not.toContain('hush');
  return ended;
}

test('a layout is planned, copied, reported, and found unchanged', async () => {
  const plan = await longshore(config, '--dry-run', '--all');
  expect(plan).toMatchObject({ exitCode: 0 });
  expect(plan.stdout).toMatch(/ {2}1\.0 +prod\/cli\/layout +copy {2}new\n/);
  expect(plan.stdout).toMatch(/ {2}2\.0-rc +- +skip {2}filtered/);
  expect(plan.stdout).toContain('4 blobs to upload');

  const path = join(directory, 'report.json');
  const cold = await longshore(config, '--report', path);
  expect(cold).toMatchObject({
    exitCode: 0,
    stdout: 'done copied=1 skipped=1 failed=0 not-started=0\n',
  });
  const report = JSON.parse(await readFile(path, 'utf8')) as SyncReport;
  expect(report.tags.find(({ status }) => status === 'copied')).toMatchObject({
    tag: '1.0',
    digest: image.descriptor.digest,
  });

  const warm = await longshore(config, '--json', '--quiet');
  expect(warm).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(warm.stdout)).toMatchObject({ counts: { copied: 0, skipped: 2 } });
});

test('a watch with metrics ends with 0 between two runs', async () => {
  const watched = join(directory, 'watched.yaml');
  await writeFile(watched, configOf('cli/watched'));
  const cli = start(watched, '--watch', '1h', '--listen', '0');
  await cli.told('next run in');
  cli.child.kill('SIGTERM');
  const { exitCode, stdout, stderr } = await cli.ended;
  expect(stderr).toContain('/healthz and /metrics at http://127.0.0.1:');
  expect(stdout).toMatch(/^done /);
  expect(exitCode).toBe(0);
});

test('what is wrong with a configuration is told by its place', async () => {
  const wrong = join(directory, 'wrong.yaml');
  await writeFile(wrong, 'version: 1\ntargets: { prod: {} }\nmappings:\n  - form: nginx\n');
  const { exitCode, stderr } = await longshore(wrong);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${wrong}:4:5: mappings[0].form`);
});

test('a file of another tool becomes one of ours', async () => {
  const given = join(directory, 'skopeo.yaml');
  await writeFile(given, 'registry.example.com:\n  images:\n    team/app: ["1.0"]\n');
  const { exitCode, stdout } = await longshore(given, '--import', 'skopeo');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('registry.example.com/team/app');
});
