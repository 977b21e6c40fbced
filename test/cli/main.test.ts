import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.ts';
import { environmentOf, MAIN, spawnCli } from './spawned-cli.ts';

const BYTES = randomBytes(7_000_000);
const DIGEST = `sha256:${createHash('sha256').update(BYTES).digest('hex')}`;

let emulator: Emulator;
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longshore-cli-'));
  file = join(directory, 'layer.tar.gz');
  await writeFile(file, BYTES);
  emulator = await startEmulator();
});
afterAll(async () => {
  await emulator.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('longshore layer', () => {
  test('uploads a file byte for byte, then finds it present', async () => {
    const words = ['layer', file, '-r', 'cli/file', '--create-repository'];
    const first = await spawnCli(words, environmentOf(emulator)).ended;
    expect(first.stdout).toBe(`${DIGEST} ${BYTES.length} uploaded ${file}\n`);
    expect(first.stderr).not.toMatch(/warning/i);
    expect(first.exitCode).toBe(0);
    const second = await spawnCli([...words, '--quiet'], environmentOf(emulator)).ended;
    expect(second).toEqual({
      exitCode: 0,
      stdout: `${DIGEST} ${BYTES.length} already-present ${file}\n`,
      stderr: '',
    });
  });

  test('uploads standard input', async () => {
    const words = ['layer', '-', '-r', 'cli/stdin', '--create-repository', '--json'];
    const { exitCode, stdout } = await spawnCli(words, environmentOf(emulator), BYTES).ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file: '-', digest: DIGEST, outcome: 'uploaded' });
  });

  test('tells of a missing repository and of a missing file, each with its code', async () => {
    const missingFile = join(directory, 'missing.tar.gz');
    const words = ['layer', file, missingFile, '-r', 'cli/missing'];
    const { exitCode, stderr } = await spawnCli(words, environmentOf(emulator)).ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('(E_REPOSITORY_NOT_FOUND)');
    expect(stderr).toContain('--create-repository');
    expect(stderr).toContain('(E_SOURCE_UNREADABLE)');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('a reader that goes away does not stop the upload', async () => {
    const words = ['layer', file, '-r', 'cli/pipe', '--create-repository'];
    const { child, ended } = spawnCli(words, environmentOf(emulator));
    child.stdout?.destroy();
    const { exitCode, stderr } = await ended;
    expect(stderr).toContain('uploaded');
    expect(exitCode).toBe(0);
  });

  test('the first Ctrl-C lets the layer finish', async () => {
    await using slow = await startEmulator({
      network: { serviceTimeMs: { UploadLayerPart: 700 } },
    });
    const words = ['layer', file, '-r', 'cli/drain', '--create-repository'];
    const cli = spawnCli(words, environmentOf(slow));
    await cli.told('repository created');
    cli.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await cli.ended;
    expect(stderr).toContain('finishing 1 under way');
    expect(stdout).toBe(`${DIGEST} ${BYTES.length} uploaded ${file}\n`);
    expect(exitCode).toBe(130);
  });

  test('the second Ctrl-C stops at once', async () => {
    await using slow = await startEmulator({
      network: { serviceTimeMs: { UploadLayerPart: 20_000 } },
    });
    const words = ['layer', file, '-r', 'cli/stop', '--create-repository'];
    const cli = spawnCli(words, environmentOf(slow));
    await cli.told('repository created');
    cli.child.kill('SIGINT');
    await cli.told('finishing 1 under way');
    cli.child.kill('SIGINT');
    const { exitCode, stdout } = await cli.ended;
    expect(stdout).toBe('');
    expect(exitCode).toBe(130);
  });
});

describe('longshore emulator', () => {
  test('runs until standard input closes', async () => {
    const words = ['emulator', '--json', '--until-stdin-closes', '--data', join(directory, 'data')];
    const cli = spawnCli(words, {});
    await cli.told('ECR at ');
    cli.child.stdin?.end();
    const { exitCode, stdout } = await cli.ended;
    expect(exitCode).toBe(0);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual([
      'endpoint',
      'registryHost',
      'region',
      'registryId',
      'accessKeyId',
      'secretAccessKey',
    ]);
  });

  test.skipIf(process.platform === 'win32')('can be evaluated by a shell', async () => {
    const script = [
      `eval "$('${process.execPath}' '${MAIN}' emulator --quiet &)"`,
      `'${process.execPath}' '${MAIN}' layer '${file}' -r a/b --create-repository --quiet`,
      'kill "$LONGSHORE_EMULATOR_PID"',
    ].join('\n');
    // What is kept for resuming goes with the test.
    const env = { ...process.env, XDG_STATE_HOME: directory };
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', script], { env });
    expect(stdout).toBe(`${DIGEST} ${BYTES.length} uploaded ${file}\n`);
  });
});
