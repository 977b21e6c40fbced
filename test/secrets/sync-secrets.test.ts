import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.ts';
import { environmentOf, spawnCli } from '../cli/spawned-cli.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { type FakeRegistry, startRegistry } from '../registry/fake-registry.ts';
import { expectNoSecret } from './secret-search.ts';

const PASSWORD = 'hush-registry-password';
const WRONG_PASSWORD = 'hush-wrong-password';
const KEYS = {
  accessKeyId: 'AKIDTEST',
  secretAccessKey: 'hush-secret-access-key',
  sessionToken: 'hush-session-token',
};
const SECRETS = [PASSWORD, WRONG_PASSWORD, KEYS.secretAccessKey, KEYS.sessionToken];

let emulator: Emulator;
let registry: FakeRegistry;
const folder = temporaryFolder();
const config = join(folder.path, 'mirror.yaml');

beforeAll(async () => {
  emulator = await startEmulator({ credentials: KEYS });
  registry = await startRegistry({ auth: 'basic', login: { username: 'me', password: PASSWORD } });
  registry.putImage('app', 'v1', [randomBytes(1000)]);
  writeFileSync(
    config,
    `
version: 1
registries:
  '${registry.host}':
    credentials: { username: me, passwordEnv: SOURCE_PASSWORD }
targets:
  prod: {}
mappings:
  - from: '${registry.host}/app'
    createRepository: true
`,
  );
});
afterAll(async () => {
  await emulator.stop();
  await registry[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test.each([
  { password: WRONG_PASSWORD, outcome: 'failed', exitCode: 1 },
  { password: PASSWORD, outcome: 'done', exitCode: 0 },
])(
  'a sync that is $outcome says no secret, not in its plan or report either',
  async ({ password, exitCode }) => {
    const environment = {
      ...environmentOf(emulator),
      AWS_SESSION_TOKEN: KEYS.sessionToken,
      SOURCE_PASSWORD: password,
      XDG_STATE_HOME: folder.path,
      XDG_CACHE_HOME: folder.path,
    };
    const path = join(folder.path, `report-${exitCode}.json`);
    for (const flags of [['--dry-run', '--debug'], ['--report', path, '--debug'], ['--json']]) {
      const { exitCode: found, ...said } = await spawnCli(['sync', config, ...flags], environment)
        .ended;
      expect(`${said.stderr} exit code ${found}`).toContain(` exit code ${exitCode}`);
      expectNoSecret([said.stdout, said.stderr], SECRETS);
    }
    const report = readFileSync(path, 'utf8');
    expect(report).toContain('"tag": "');
    expectNoSecret([report, emulator.journal.entries()], SECRETS);
  },
);
