import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CredentialStore, type FoundCredentials } from '../../src/registry/credential-store.ts';
import { startRig } from './client-rig.ts';
import { quiet, testSurroundings } from './test-surroundings.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longshore-credentials-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const PATH = process.env['PATH'] ?? '';
const environment = (): Record<string, string> => ({
  DOCKER_CONFIG: folder,
  PATH: `${folder}${delimiter}${PATH}`,
});

async function configure(config: object | string, name = 'config.json'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

/** A helper whose `get` runs this. */
async function installHelper(script: string, name = 'test'): Promise<void> {
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n[ "$1" = get ] || exit 9\nread server\n${script}\n`);
  await chmod(path, 0o755);
}

function find(
  registry: string,
  repository = 'team/app',
  extra: Record<string, string> = {},
): Promise<FoundCredentials> {
  const surroundings = testSurroundings({ ...environment(), ...extra });
  return new CredentialStore(registry, undefined, surroundings, quiet()).find(repository);
}

function authOf(username: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString('base64') };
}

const me = { username: 'me', password: 'p:w' };

describe('credentials in a file', () => {
  test.each([
    ['a.example', 'a.example'],
    ['a.example:5000', 'a.example:5000'],
    ['a.example', 'https://a.example'],
    ['a.example', 'https://a.example/v2/'],
    ['[::1]:5000', '[::1]:5000'],
    ['docker.io', 'https://index.docker.io/v1/'],
    ['docker.io', 'docker.io'],
  ])('of %s stand under %s', async (registry, key) => {
    const path = await configure({
      auths: { [key]: authOf('me', 'p:w'), other: authOf('x', 'y') },
    });
    expect(await find(registry)).toEqual({ stored: me, remark: path });
    expect((await find('b.example')).stored).toBeUndefined();
  });

  test('of the longest path count', async () => {
    await configure({
      auths: {
        'a.example': authOf('host', 'x'),
        'a.example/team': authOf('team', 'x'),
        'a.example/team/app': authOf('app', 'x'),
        'a.example/te': authOf('wrong', 'x'),
      },
    });
    expect((await find('a.example', 'team/app')).stored).toMatchObject({ username: 'app' });
    expect((await find('a.example', 'team/b')).stored).toMatchObject({ username: 'team' });
    expect((await find('a.example', 'tea/b')).stored).toMatchObject({ username: 'host' });
  });

  test('may be a token, or in clear', async () => {
    await configure({
      auths: {
        'a.example': { ...authOf('me', ''), identitytoken: 'secret' },
        'b.example': { username: 'me', password: 'p:w' },
        'c.example': {},
        'd.example': null,
      },
    });
    expect((await find('a.example')).stored).toEqual({ identityToken: 'secret' });
    expect((await find('b.example')).stored).toEqual(me);
    expect((await find('c.example')).stored).toBeUndefined();
    expect((await find('d.example')).stored).toBeUndefined();
  });

  test('of REGISTRY_AUTH_FILE come first', async () => {
    await configure({
      auths: { 'a.example': authOf('docker', 'x'), 'b.example': authOf('b', 'x') },
    });
    const path = await configure({ auths: { 'a.example': authOf('other', 'x') } }, 'auth.json');
    const extra = { REGISTRY_AUTH_FILE: path };
    expect((await find('a.example', 'a', extra)).stored).toMatchObject({ username: 'other' });
    expect((await find('b.example', 'a', extra)).stored).toMatchObject({ username: 'b' });
    const gone = { REGISTRY_AUTH_FILE: join(folder, 'gone.json') };
    expect((await find('a.example', 'a', gone)).stored).toMatchObject({ username: 'docker' });
  });

  test.each(['{"auths": {"a.example": {"auth": "hunter2"}', '', '[', '"hunter2"', 'null'])(
    'that cannot be read are told of without what is in them: %s',
    async (text) => {
      await configure(text);
      const { stored, remark } = await find('a.example');
      expect(stored).toBeUndefined();
      expect(remark).not.toContain('hunter2');
    },
  );
});

describe('credentials of a helper', () => {
  test('of its own for a registry', async () => {
    await installHelper(
      `echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"$server\\",\\"Secret\\":\\"s\\"}"`,
    );
    await configure({ credHelpers: { 'a.example:5000': 'test' }, credsStore: 'none' });
    expect(await find('a.example:5000')).toEqual({
      stored: { username: 'a.example:5000', password: 's' },
      remark: 'docker-credential-test',
    });
  });

  test('for all registries, by the name that Docker Hub has for it', async () => {
    await installHelper(`echo "{\\"Username\\":\\"$server\\",\\"Secret\\":\\"s\\"}"`);
    await configure({ credsStore: 'test', auths: { 'https://index.docker.io/v1/': {} } });
    expect((await find('docker.io')).stored).toEqual({
      username: 'https://index.docker.io/v1/',
      password: 's',
    });
  });

  test('that are a token', async () => {
    await installHelper(`echo '{"Username":"<token>","Secret":"s"}'`);
    await configure({ credsStore: 'test' });
    expect((await find('a.example')).stored).toEqual({ identityToken: 's' });
  });

  test('that it does not have are looked for in the file', async () => {
    await installHelper('echo "credentials not found in native keychain"; exit 1');
    await configure({ credsStore: 'test', auths: { 'a.example': authOf('me', 'p:w') } });
    expect((await find('a.example')).stored).toEqual(me);
    expect(await find('b.example')).toEqual({ stored: undefined, remark: '' });
  });

  test('are asked for once', async () => {
    await installHelper(`echo x >> "${folder}/calls"\necho '{"Username":"a","Secret":"b"}'`);
    await configure({ credsStore: 'test' });
    const store = new CredentialStore(
      'a.example',
      undefined,
      testSurroundings(environment()),
      quiet(),
    );
    await Promise.all(['a', 'b', 'c'].map((repository) => store.find(repository)));
    const { readFile } = await import('node:fs/promises');
    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('x\n');
    store.forget();
    await store.find('a');
    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('x\nx\n');
  });

  test.each([
    ['echo "the vault is locked"; exit 1', 'docker-credential-test failed: the vault is locked'],
    ['echo \'{"Secret":"hunter2"}\'; exit 1', 'docker-credential-test failed'],
    ['echo \'ret":"hunter2"\'; exit 1', 'docker-credential-test failed'],
    ['echo hunter2', 'docker-credential-test answered something that is not what a helper answers'],
    ['head -c 100000 /dev/zero', 'docker-credential-test answered more than 65536 bytes'],
  ])('that fails (%s) is told of', async (script, remark) => {
    await installHelper(script);
    await configure({ credsStore: 'test' });
    expect(await find('a.example')).toEqual({ stored: undefined, remark });
  });

  test.each([
    ['absent', 'docker-credential-absent is not on the PATH'],
    ['../test', 'a credential helper has no valid name'],
  ])('%s that cannot be started is told of', async (name, remark) => {
    await installHelper('echo no');
    await configure({ credHelpers: { 'a.example': name } });
    expect(await find('a.example')).toEqual({ stored: undefined, remark });
  });

  test('ends with whoever waits for it', async () => {
    await installHelper('exec sleep 60');
    await configure({ credsStore: 'test' });
    const abort = new AbortController();
    const surroundings = testSurroundings(environment());
    const store = new CredentialStore('a.example', undefined, surroundings, abort.signal);
    const finding = store.find('a');
    abort.abort(new Error('enough'));
    await expect(finding).rejects.toThrow('enough');
  });
});

test('what a helper failed with is told to whoever is refused', async () => {
  await installHelper('echo "the vault is locked"; exit 1');
  await configure({ credsStore: 'test' });
  const fake = { auth: 'basic', login: me } as const;
  await using rig = await startRig(fake, {}, testSurroundings(environment()));
  await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toThrow(
    /the vault is locked; .*docker login/,
  );
});

test('an identity token gets a token', async () => {
  await using rig = await startRig(
    { auth: 'bearer', login: me, identityToken: 'refresh' },
    {},
    testSurroundings(environment()),
  );
  await configure({ auths: { [rig.registry.host]: { identitytoken: 'refresh' } } });
  rig.registry.putImage('a', 'v1', []);
  await rig.client.getManifest('a', 'v1', quiet());
  expect(rig.registry.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET']);
});
