import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.ts';
import { environmentOf, spawnCli } from '../cli/spawned-cli.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { type FakeRegistry, startRegistry } from '../registry/fake-registry.ts';
import { type HttpProxy, startProxy } from '../uploader/http-proxy.ts';
import { expectNoSecret } from './secret-search.ts';

const PASSWORD = 'hush-registry-password';
const KEYS = {
  accessKeyId: 'AKIDTEST',
  secretAccessKey: 'hush-secret-access-key',
  sessionToken: 'hush-session-token',
};
const PROXY_PASSWORD = 'hush-proxy-password';
const SECRETS = [PASSWORD, KEYS.secretAccessKey, KEYS.sessionToken, PROXY_PASSWORD];
const DETAILED: readonly (readonly string[])[] = [['--json', '--debug'], []];

let emulator: Emulator;
let registry: FakeRegistry;
let proxy: HttpProxy;
/** Lets nobody through, whatever the password. */
let proxyUrl: string;
const folder = temporaryFolder();
const file = join(folder.path, 'layer.tar.gz');
const processes = join(folder.path, 'processes');

beforeAll(async () => {
  emulator = await startEmulator({ credentials: KEYS });
  registry = await startRegistry({ auth: 'basic', login: { username: 'me', password: PASSWORD } });
  proxy = await startProxy(407);
  proxyUrl = `http://me:${PROXY_PASSWORD}@${proxy.url.host}`;
  registry.putImage('app', 'v1', [randomBytes(1000)]);
  writeFileSync(file, randomBytes(1000));
  const config = { credHelpers: { [registry.host]: 'test' } };
  writeFileSync(join(folder.path, 'config.json'), JSON.stringify(config));
});
afterAll(async () => {
  await emulator.stop();
  await registry[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Installs the helper that Docker's configuration names. */
function installHelper(script: string): void {
  const path = join(folder.path, 'docker-credential-test');
  writeFileSync(path, `#!/bin/sh\nread server\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Runs it in each of its ways to talk, and looks at all that it says. */
async function expectNoSecretSaid(
  words: readonly string[],
  expectedExitCode: number,
  environment: Readonly<Record<string, string>> = {},
  input = '',
): Promise<void> {
  for (const flags of DETAILED) {
    const cli = spawnCli(
      [...words, ...flags],
      {
        ...environmentOf(emulator),
        AWS_SESSION_TOKEN: KEYS.sessionToken,
        DOCKER_CONFIG: folder.path,
        PATH: `${folder.path}${delimiter}${process.env['PATH'] ?? ''}`,
        ...environment,
      },
      Buffer.from(input),
    );
    const { exitCode, stdout, stderr } = await cli.ended;
    expect(`${stderr} exit code ${exitCode}`).toContain(` exit code ${expectedExitCode}`);
    expectNoSecret([stdout, stderr, emulator.journal.entries()], SECRETS);
  }
}

const layer = ['layer', file, '-r', 'team/app', '--create-repository'];
const push = (): string[] => [
  'push',
  `docker://${registry.host}/app:v1`,
  'team/app:v1',
  '--create-repository',
];

describe('the command line prints no secret', () => {
  test('of AWS, whether they are right or wrong', async () => {
    await expectNoSecretSaid(layer, 0);
    await expectNoSecretSaid(layer, 1, {
      AWS_SECRET_ACCESS_KEY: 'hush-secret-access-key-of-another',
    });
  });

  test('of a proxy that refuses', async () => {
    await expectNoSecretSaid(layer, 1, { HTTP_PROXY: proxyUrl });
    await expectNoSecretSaid(push(), 1, { HTTP_PROXY: proxyUrl });
  });

  test('of a proxy that is none', async () => {
    await expectNoSecretSaid(layer, 2, {
      HTTP_PROXY: `http://me:${PROXY_PASSWORD}@127.0.0.1:none`,
    });
  });

  test('of standard input', async () => {
    const words = [...push(), '--source-username', 'me', '--source-password-stdin'];
    await expectNoSecretSaid(words, 0, {}, `${PASSWORD}\n`);
    await expectNoSecretSaid(words, 1, {}, `${PASSWORD} not\n`);
  });

  test('of a helper that answers, refuses, or breaks off', async () => {
    installHelper(`echo '{"Username":"me","Secret":"${PASSWORD}"}'`);
    await expectNoSecretSaid(push(), 0);
    installHelper(`echo '{"Username":"me","Secret":"${PASSWORD}x"}'`);
    await expectNoSecretSaid(push(), 1);
    installHelper(`echo '{"Username":"me","Secret":"${PASSWORD}'; exit 1`);
    await expectNoSecretSaid(push(), 1);
    installHelper(`echo '{"Username":"me","Secret":"${PASSWORD}'`);
    await expectNoSecretSaid(push(), 1);
  });

  test('in what it verifies', async () => {
    installHelper(`echo '{"Username":"me","Secret":"${PASSWORD}"}'`);
    await expectNoSecretSaid(push(), 0);
    await expectNoSecretSaid(['verify', 'team/app:v1'], 0);
    await expectNoSecretSaid(['verify', 'team/app:v2'], 1);
  });
});

// Where processes can be read like this.
test.skipIf(process.platform !== 'linux')(
  'no process is started with a secret in its words',
  async () => {
    installHelper(
      `cat /proc/$$/cmdline /proc/$PPID/cmdline >> '${processes}'\n` +
        `echo '{"Username":"me","Secret":"${PASSWORD}"}'`,
    );
    await expectNoSecretSaid(push(), 0, { HTTP_PROXY: proxyUrl, NO_PROXY: '127.0.0.1' });
    const text = readFileSync(processes, 'latin1');
    expect(text).toContain('docker-credential-test\0get\0');
    expect(text).toContain('main.js\0push\0');
    expectNoSecret(text, SECRETS);
  },
);
