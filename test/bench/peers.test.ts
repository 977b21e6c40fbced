import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeImageLayout } from '../../bench/harness/image-layout.ts';
import { LayerFiles } from '../../bench/harness/layer-files.ts';
import type { Programs } from '../../bench/harness/program.ts';
import { compilePrograms } from '../../bench/harness/program.ts';
import { Server } from '../../bench/harness/server-process.ts';
import type { Peer, PeerTarget } from '../../bench/peers/peer.ts';
import { measureProcess, parseTimes } from '../../bench/peers/peer-process.ts';
import { runPeer } from '../../bench/peers/peer-run.ts';
import { findPeers, PEERS } from '../../bench/peers/peer-search.ts';

const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TARGET: PeerTarget = {
  layout: '/layout',
  registryHost: '127.0.0.1:5000',
  repository: 'bench/run-1',
  username: 'AWS',
  password: 'secret',
  folder: '/settings',
};

describe('what the programs are told', () => {
  const commandOf = (name: string, setting: string) =>
    PEERS.find((peer) => peer.name === name)
      ?.settings.find((candidate) => candidate.name === setting)
      ?.command(TARGET);

  test.each([
    [
      'skopeo',
      'default',
      '--insecure-policy copy --dest-tls-verify=false --dest-authfile /settings/auth.json oci:/layout:latest docker://127.0.0.1:5000/bench/run-1:latest',
    ],
    [
      'skopeo',
      'best',
      '--insecure-policy copy --image-parallel-copies 12 --dest-tls-verify=false --dest-authfile /settings/auth.json oci:/layout:latest docker://127.0.0.1:5000/bench/run-1:latest',
    ],
    ['crane', 'default', 'push --insecure /layout 127.0.0.1:5000/bench/run-1:latest'],
    ['crane', 'best', 'push --insecure /layout 127.0.0.1:5000/bench/run-1:latest'],
    ['regctl', 'default', 'image copy ocidir:///layout:latest 127.0.0.1:5000/bench/run-1:latest'],
    ['regctl', 'best', 'image copy ocidir:///layout:latest 127.0.0.1:5000/bench/run-1:latest'],
    [
      'oras',
      'default',
      'cp --from-oci-layout --to-plain-http --to-registry-config /settings/config.json /layout:latest 127.0.0.1:5000/bench/run-1:latest',
    ],
    [
      'oras',
      'best',
      'cp --concurrency 12 --from-oci-layout --to-plain-http --to-registry-config /settings/config.json /layout:latest 127.0.0.1:5000/bench/run-1:latest',
    ],
  ])('%s, %s', (name, setting, line) => {
    expect(commandOf(name, setting)?.parameters.join(' ')).toBe(line);
  });

  test('no password is on a command line', () => {
    for (const { settings } of PEERS) {
      for (const setting of settings) {
        const { parameters, files = {} } = setting.command(TARGET);
        expect(parameters.join(' ')).not.toContain(TARGET.password);
        expect(Object.keys(files)).toHaveLength(1);
      }
    }
  });

  test('logins are where each program looks for them', () => {
    const auth = Buffer.from('AWS:secret').toString('base64');
    const login = JSON.stringify({ auths: { '127.0.0.1:5000': { auth } } });
    expect(commandOf('skopeo', 'default')?.files).toEqual({ 'auth.json': login });
    expect(commandOf('crane', 'default')).toMatchObject({
      environment: { DOCKER_CONFIG: '/settings' },
      files: { 'config.json': login },
    });
    expect(commandOf('crane', 'best')?.environment).toMatchObject({ GOMAXPROCS: '12' });
    const regctl = commandOf('regctl', 'best');
    expect(regctl?.environment).toEqual({ REGCTL_CONFIG: '/settings/regctl.json' });
    expect(JSON.parse(regctl?.files?.['regctl.json'] ?? '')).toEqual({
      hosts: {
        '127.0.0.1:5000': {
          tls: 'disabled',
          hostname: '127.0.0.1:5000',
          user: 'AWS',
          pass: 'secret',
          reqConcurrent: 12,
        },
      },
    });
    expect(commandOf('regctl', 'default')?.files?.['regctl.json']).not.toContain('reqConcurrent');
  });
});

describe('which programs are there', () => {
  test('a missing one is named with how to install it', () => {
    const { found, notes } = findPeers(join(folder, 'absent'));
    expect(found).toEqual([]);
    expect(notes).toHaveLength(PEERS.length);
    expect(notes[0]).toBe(
      'skopeo is missing: apt-get install skopeo, dnf install skopeo, brew install skopeo',
    );
  });

  test('one that lacks an option runs with its default setting only', () => {
    writeExecutable('skopeo', 'if [ "$1" = --version ]; then echo skopeo version 1.9.3; fi');
    writeExecutable('oras', 'echo "Version: 1.3.0+Homebrew"; echo "  --concurrency int"');
    const { found, notes } = findPeers(['/nowhere', folder].join(delimiter));
    expect(found.map(({ peer, version }) => `${peer.name} ${version}`)).toEqual([
      'skopeo 1.9.3',
      'oras 1.3.0+Homebrew',
    ]);
    expect(found.map(({ settings }) => settings.map(({ name }) => name))).toEqual([
      ['default'],
      ['default', 'best'],
    ]);
    expect(notes).toContain(
      'skopeo 1.9.3 has no --image-parallel-copies: only its default setting runs',
    );
  });
});

describe('a process measured from outside', () => {
  test('its own time and memory are counted, and only its own environment is there', async () => {
    const file = writeExecutable(
      'busy',
      'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo "$1 ${HOME:-none} ${GIVEN}"; exit 3',
    );
    const cost = await measureProcess(file, ['an argument'], { GIVEN: 'given' });
    expect(cost).toMatchObject({ exitCode: 3, output: 'an argument none given\n' });
    expect(cost.cpuUserMs + cost.cpuSystemMs).toBeGreaterThanOrEqual(20);
    expect(cost.cpuUserMs + cost.cpuSystemMs).toBeLessThan(cost.wallMs * 1.2);
    const hasProcFiles = process.platform === 'linux';
    expect(cost.rssPeakBytes > 500_000).toBe(hasProcFiles);
  });

  test('times of the last line are read, with either decimal mark', () => {
    expect(parseTimes('pid 7\n0m0.001s 0m0.002s\n1m2.500s 0m0,250s\n')).toEqual({
      cpuUserMs: 62_500,
      cpuSystemMs: 250,
    });
    expect(parseTimes('').cpuUserMs).toBeNaN();
  });
});

describe('a push by a peer', () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = await compilePrograms();
  });
  afterAll(() => programs.remove());

  test('one that fails is shown with its words, one that pushed nothing is not believed', async () => {
    await using files = new LayerFiles();
    const image = await writeImageLayout(join(files.folder, 'image'), [
      await files.createRandom(1000),
    ]);
    await using server = await Server.start(programs.files.server, { tls: false });
    const peer = (script: string): Peer => ({
      name: 'fake',
      executable: 'fake',
      install: '',
      versionParameters: [],
      helpParameters: [],
      settings: [
        {
          name: 'default',
          summary: '',
          command: ({ folder: own }) => ({
            parameters: ['-c', script, own],
            files: { 'login.json': '{}' },
          }),
        },
      ],
    });
    const push = async (script: string) => {
      const fake = peer(script);
      const [setting] = fake.settings;
      if (setting === undefined) throw new Error('no setting');
      return runPeer(
        { peer: fake, file: '/bin/sh', version: '1', settings: fake.settings },
        setting,
        image,
        server,
      );
    };
    const marker = join(folder, 'seen');
    await expect(push(`cp "$0/login.json" ${marker}; echo no luck >&2; exit 4`)).rejects.toThrow(
      'fake ended with 4: no luck',
    );
    expect(readFileSync(marker, 'utf8')).toBe('{}');
    await expect(push('exit 0')).rejects.toThrow(
      `fake was to push ${image.digest}, the registry has undefined`,
    );
  });
});

function writeExecutable(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
