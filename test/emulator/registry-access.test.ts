import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { withEmulator } from './fixture.ts';
import { RegistryClient, basicOf } from './registry-client.ts';

test('without a password the door names Basic, and no token endpoint', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    for (const path of ['/v2/', '/v2', '/v2/team/app/tags/list', '/v2/no/such/thing']) {
      const reply = await client.send('GET', path, { authorization: null });
      expect(reply).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
      expect(reply.headers['www-authenticate']).toBe(
        `Basic realm="http://${emulator.registryHost}/",service="ecr.amazonaws.com"`,
      );
      expect(reply.headers['docker-distribution-api-version']).toBe('registry/2.0');
    }
  }));

test('the password of GetAuthorizationToken opens the endpoint it names', () =>
  withEmulator({}, async (emulator, ecr) => {
    const { authorizationData } = await ecr.getAuthorizationToken();
    const { authorizationToken, proxyEndpoint } = authorizationData?.[0] ?? {};
    const response = await fetch(`${proxyEndpoint}/v2/`, {
      headers: { authorization: `Basic ${authorizationToken}` },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  }));

test('a password lasts twelve hours of the emulator', async () => {
  let nowMs = Date.now();
  await withEmulator({ clock: () => nowMs }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const { password, username } = emulator.dockerCredentials();
    const authorization = basicOf(username, password);
    nowMs += 12 * 3_600_000 - 2000;
    expect(await client.send('GET', '/v2/', { authorization })).toMatchObject({ status: 200 });
    nowMs += 3000;
    expect(await client.send('GET', '/v2/', { authorization })).toMatchObject({
      status: 403,
      code: 'DENIED',
      message: 'Your authorization token has expired. Reauthenticate and try again.',
    });
  });
});

test('a password is of one registry and one secret', async () => {
  const secretAccessKey = 'another-secret';
  await using other = await startEmulator({ registryId: '210987654321' });
  await using third = await startEmulator({ credentials: { accessKeyId: 'K', secretAccessKey } });
  await withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    for (const { password } of [other.dockerCredentials(), third.dockerCredentials()]) {
      const authorization = basicOf('AWS', password);
      expect(await client.send('GET', '/v2/', { authorization })).toMatchObject({ status: 401 });
    }
    const { password } = emulator.dockerCredentials();
    const reply = await client.send('GET', '/v2/', { authorization: basicOf('root', password) });
    expect(reply.status).toBe(401);
  });
});

test.each([
  ['Bearer abc', 401],
  ['Basic', 401],
  [basicOf('AWS', 'mangled'), 400],
  [basicOf('AWS', Buffer.from('[]').toString('base64')), 400],
  ['Basic ::::', 400],
])('the header %s is refused with %i', (authorization, status) =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send('GET', '/v2/', { authorization });
    expect(reply).toMatchObject({ status, code: 'UNAUTHORIZED' });
  }),
);

test('an emulator that verifies nothing lets everybody in', () =>
  withEmulator({ verifySignatures: false }, async (emulator) => {
    const client = new RegistryClient(emulator);
    expect(await client.send('GET', '/v2/', { authorization: null })).toMatchObject({
      status: 200,
    });
  }));

test('a large body from nobody is not read, whatever it is for', async () => {
  let nowMs = Date.now();
  await withEmulator({ clock: () => nowMs }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const { password, username } = emulator.dockerCredentials();
    nowMs += 13 * 3_600_000;
    const large = { headers: { 'content-length': '50000000' }, body: [Buffer.alloc(10)] };
    for (const [authorization, status] of [
      [null, 401],
      [basicOf('AWS', 'mangled'), 400],
      [basicOf(username, password), 403],
    ] as const) {
      const reply = await client.send('PATCH', upload, { ...large, authorization });
      expect(reply).toMatchObject({ status, headers: { connection: 'close' } });
    }
    expect(emulator.journal.entries({ statusCode: 401 })).toMatchObject([
      { operation: 'UploadLayerPart', exception: 'UNAUTHORIZED' },
    ]);
  });
});
