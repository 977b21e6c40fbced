import { describe, expect, test } from 'vitest';
import { OCI_IMAGE, OCI_INDEX } from '../../src/image/media-type.ts';
import { type ClientRig, startRig } from './client-rig.ts';
import { digestOf, refuse, send, wireOf } from './fake-registry.ts';
import { quiet } from './test-surroundings.ts';

const login = { username: 'me', password: 'pass:wörd' };

describe('a manifest', () => {
  test('has the bytes, their digest and the type of the header', async () => {
    await using rig = await startRig();
    const put = rig.registry.putImage('a/b', 'v1', []);
    const { bytes, digest, mediaType } = await rig.client.getManifest('a/b', 'v1', quiet());
    expect({ digest, mediaType, sizeBytes: bytes.length }).toEqual(put);
    expect(digestOf(bytes)).toBe(digest);
    expect(await rig.client.headManifest('a/b', digest, quiet())).toEqual(put);
    expect(await rig.client.headManifest('a/b', 'v2', quiet())).toBeUndefined();
    expect(rig.registry.requests[0]?.accept).toContain(OCI_INDEX);
  });

  test('that is not there is told so', async () => {
    await using rig = await startRig();
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      details: { source: `${rig.registry.host}/a`, wanted: 'v1' },
    });
  });

  test('that is not what its digest says is refused', async () => {
    await using rig = await startRig();
    const wrong = digestOf(Buffer.from('something else'));
    rig.registry.answers.push((_request, response) => send(response, 200, '{}', OCI_IMAGE));
    await expect(rig.client.getManifest('a', wrong, quiet())).rejects.toMatchObject({
      code: 'E_DIGEST_MISMATCH',
      details: { expected: wrong, actual: digestOf(Buffer.from('{}')) },
    });
    rig.registry.answers.push((_request, response) =>
      send(response, 200, '{}', OCI_IMAGE, { 'docker-content-digest': wrong }),
    );
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_DIGEST_MISMATCH',
    });
  });

  test.each([true, false])('over 4 MiB is not read (length told: %s)', async (isTold) => {
    await using rig = await startRig();
    const bytes = Buffer.alloc(5 * 1024 * 1024, ' ');
    rig.registry.answers.push((_request, response) => {
      response.writeHead(200, { ...(isTold && { 'content-length': bytes.length }) });
      response.end(bytes);
    });
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_IMAGE_UNSUPPORTED',
    });
  });
});

describe('a login', () => {
  test('by name and password', async () => {
    await using rig = await startRig({ auth: 'basic', login }, { credentials: login });
    rig.registry.putImage('a', 'v1', []);
    await rig.client.getManifest('a', 'v1', quiet());
    await rig.client.getManifest('a', 'v1', quiet());
    const basic = `Basic ${Buffer.from('me:pass:wörd').toString('base64')}`;
    // Known from the second request on.
    expect(rig.registry.requests.map(({ authorization }) => authorization)).toEqual([
      undefined,
      basic,
      basic,
    ]);
  });

  test('that is asked for again when it was refused', async () => {
    const passwords = ['old', login.password];
    const hosts: string[] = [];
    const credentials = (host: string): Promise<{ username: string; password: string }> => {
      hosts.push(host);
      return Promise.resolve({ username: 'me', password: passwords[hosts.length - 1] ?? '' });
    };
    await using rig = await startRig({ auth: 'basic', login }, { credentials });
    rig.registry.putImage('a', 'v1', []);
    await rig.client.getManifest('a', 'v1', quiet());
    expect(hosts).toEqual([rig.registry.host, rig.registry.host]);
  });

  test.each(['basic', 'bearer'] as const)(
    'that has expired is asked for once more by all who need it (%s)',
    async (auth) => {
      let password = login.password;
      let askCount = 0;
      const credentials = (): Promise<{ username: string; password: string }> => {
        askCount += 1;
        return Promise.resolve({ username: 'me', password });
      };
      const current = { username: 'me', password };
      await using rig = await startRig({ auth, login: current }, { credentials });
      rig.registry.putImage('a', 'v1', []);
      const read = (): Promise<unknown> => rig.client.getManifest('a', 'v1', quiet());
      await read();
      expect(askCount).toBe(1);
      password = 'another';
      current.password = password;
      rig.registry.revokeTokens();
      await Promise.all(Array.from({ length: 20 }, read));
      expect(askCount).toBe(2);
    },
  );

  test('by a token, fetched once for all who need it and anew when it expires', async () => {
    await using rig = await startRig(
      { auth: 'bearer', login, tokenLifetimeSeconds: 100 },
      { credentials: login },
    );
    rig.registry.putImage('a', 'v1', []);
    const { client, registry, surroundings } = rig;
    const tokenCount = (): number =>
      registry.requests.filter(({ url }) => url.startsWith('/token')).length;
    const read = (): Promise<unknown> => client.getManifest('a', 'v1', quiet());
    await Promise.all(Array.from({ length: 30 }, read));
    expect(tokenCount()).toBe(1);
    expect(registry.requests.find(({ url }) => url.startsWith('/token'))?.url).toBe(
      '/token?service=fake&scope=repository%3Aa%3Apull',
    );
    surroundings.advance(89_000);
    await read();
    expect(tokenCount()).toBe(1);
    surroundings.advance(2_000);
    await read();
    expect(tokenCount()).toBe(2);
    registry.revokeTokens();
    await read();
    expect(tokenCount()).toBe(3);
    registry.putImage('b', 'v1', []);
    await client.getManifest('b', 'v1', quiet());
    expect(tokenCount()).toBe(4);
  });

  test('is not needed where tokens are for everybody', async () => {
    await using rig = await startRig({ auth: 'bearer' });
    rig.registry.putImage('a', 'v1', []);
    await rig.client.getManifest('a', 'v1', quiet());
    const [, token] = rig.registry.requests;
    expect(token).toMatchObject({ method: 'GET', authorization: undefined });
  });

  test.each(['basic', 'bearer'] as const)('that is refused is told so (%s)', async (auth) => {
    const credentials = { username: 'me', password: 'hunter2' };
    await using rig = await startRig({ auth, login }, { credentials });
    rig.registry.putImage('a', 'v1', []);
    const error: unknown = await rig.client
      .getManifest('a', 'v1', quiet())
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'E_SOURCE_DENIED',
      message: expect.stringContaining(`docker login ${rig.registry.host}`),
      details: { registryHost: rig.registry.host, httpStatus: 401 },
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/hunter2|aHVudGVyM/);
  });

  test('that there is none of is told so', async () => {
    await using rig = await startRig({ auth: 'basic', login });
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toThrow(
      /no credentials were found; .*docker login 127\.0\.0\.1/,
    );
  });

  test('that has expired is renewed, though ECR says 403', async () => {
    const passwords = ['old', login.password];
    const credentials = (): Promise<{ username: string; password: string }> =>
      Promise.resolve({ username: 'me', password: passwords.shift() ?? '' });
    await using rig = await startRig({ auth: 'basic', login }, { credentials });
    rig.registry.putImage('a', 'v1', []);
    rig.registry.answers.push(
      (_request, response) =>
        refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm=x' }),
      (_request, response) => refuse(response, 403, 'DENIED'),
    );
    await rig.client.getManifest('a', 'v1', quiet());
    expect(rig.registry.requests).toHaveLength(3);
  });

  test('that may not read this is told so', async () => {
    await using rig = await startRig();
    rig.registry.answers.push((_request, response) => refuse(response, 403, 'DENIED'));
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_DENIED',
      details: { httpStatus: 403, registryCode: 'DENIED' },
    });
  });
});

describe('a redirect', () => {
  test('leads to another host, which does not see the login', async () => {
    await using rig = await startRig(
      { auth: 'basic', login, redirectsBlobs: true },
      { credentials: login },
    );
    const bytes = Buffer.from('layer');
    const blob = await rig.client.openBlob('a', rig.registry.putBlob(bytes), quiet());
    const target = new Uint8Array(10);
    expect(await blob.read(target, quiet())).toBe(5);
    expect(Buffer.from(target.subarray(0, 5))).toEqual(bytes);
    const [, registry, storage] = rig.registry.requests;
    expect(registry?.authorization).toMatch(/^Basic /);
    expect(storage).toMatchObject({ host: rig.registry.storageHost, authorization: undefined });
    expect(rig.registry.requests).toHaveLength(3);
  });

  test('to whoever has nothing there means that there is nothing', async () => {
    await using rig = await startRig();
    const location = `http://${rig.registry.storageHost}/v2/b/manifests/v1`;
    rig.registry.answers.push((_request, response) => {
      response.writeHead(307, { location }).end();
    });
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
    });
  });

  test('may not go on for ever', async () => {
    await using rig = await startRig();
    const again = { location: `/v2/a/manifests/v1?again` };
    for (let count = 0; count < 10; count += 1) {
      rig.registry.answers.push((_request, response) => {
        response.writeHead(302, again).end();
      });
    }
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toThrow(/more than 5 times/);
    expect(rig.registry.requests).toHaveLength(6);
  });

  test.each(['http://[', 'file:///etc/passwd'])('may not lead to %s', async (location) => {
    await using rig = await startRig();
    rig.registry.answers.push((_request, response) => {
      response.writeHead(302, { location }).end();
    });
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
    });
  });
});

describe('an attempt that fails', () => {
  test.each([408, 429, 500, 503])('with %i is made again', async (status) => {
    await using rig = await startRig({}, { retryDelayMs: 100 });
    rig.registry.putImage('a', 'v1', []);
    for (let count = 0; count < 4; count += 1) {
      rig.registry.answers.push((_request, response) => refuse(response, status, 'TRY_AGAIN'));
    }
    await rig.client.getManifest('a', 'v1', quiet());
    expect(rig.surroundings.delays).toEqual([50, 100, 200, 400]);
  });

  test('with a reset is made again', async () => {
    await using rig = await startRig();
    rig.registry.putImage('a', 'v1', []);
    rig.registry.answers.push((request) => request.socket.destroy());
    rig.registry.answers.push((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.socket?.destroy());
    });
    await rig.client.getManifest('a', 'v1', quiet());
    expect(rig.registry.requests).toHaveLength(3);
  });

  test('too often is told', async () => {
    await using rig = await startRig({}, { attemptsMax: 2 });
    for (let count = 0; count < 2; count += 1) {
      rig.registry.answers.push((_request, response) => refuse(response, 503, 'UNAVAILABLE'));
    }
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      retryable: true,
      message: expect.stringContaining('answered 503 (UNAVAILABLE: the fake says UNAVAILABLE)'),
      details: {
        source: `${rig.registry.host}/a:v1`,
        registryHost: rig.registry.host,
        httpStatus: 503,
        registryCode: 'UNAVAILABLE',
      },
    });
    expect(rig.registry.requests).toHaveLength(2);
  });

  test('for good is not made again', async () => {
    await using rig = await startRig();
    rig.registry.answers.push((_request, response) => refuse(response, 400, 'NAME_INVALID'));
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      details: { httpStatus: 400, registryCode: 'NAME_INVALID' },
    });
    expect(rig.registry.requests).toHaveLength(1);
  });

  test('by throttling waits as long as it is asked to', async () => {
    await using rig = await startRig();
    rig.registry.putImage('a', 'v1', []);
    rig.registry.answers.push((_request, response) =>
      refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '7' }),
    );
    rig.registry.answers.push((_request, response) =>
      refuse(response, 429, 'TOOMANYREQUESTS', {
        date: 'Fri, 01 Jan 2027 00:00:00 GMT',
        'retry-after': 'Fri, 01 Jan 2027 00:00:09 GMT',
      }),
    );
    await rig.client.getManifest('a', 'v1', quiet());
    expect(rig.surroundings.delays).toEqual([7000, 9000]);
  });

  test('by throttling for hours is told at once', async () => {
    await using rig = await startRig();
    rig.registry.answers.push((_request, response) =>
      refuse(response, 429, 'TOOMANYREQUESTS', {
        'retry-after': '3600',
        'ratelimit-limit': '100;w=21600',
      }),
    );
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toThrow(
      /its limit is 100 requests in 21600 seconds; try again in 3600 seconds/,
    );
    expect(rig.surroundings.delays).toEqual([]);
  });

  test('by silence is given up', async () => {
    await using rig = await startRig(
      {},
      { attemptsMax: 1, connectTimeoutMs: 50, stallTimeoutMs: 50 },
    );
    rig.registry.answers.push(() => undefined);
    await expect(rig.client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
    });
  });
});

describe('a list of tags', () => {
  async function tagsOf(rig: ClientRig): Promise<string[]> {
    const tags: string[] = [];
    for await (const page of rig.client.listTags('a/b', {}, quiet())) tags.push(...page);
    return tags;
  }

  test.each([undefined, 1, 2, 5])('comes in pages of %s', async (tagsPerPage) => {
    await using rig = await startRig({ ...(tagsPerPage !== undefined && { tagsPerPage }) });
    const tags = ['a', 'c', 'b', 'd', 'e'];
    for (const tag of tags) rig.registry.putImage('a/b', tag, []);
    expect(await tagsOf(rig)).toEqual(tags);
    expect(rig.registry.requests[0]?.url).toBe('/v2/a/b/tags/list?n=1000');
  });

  test('of nothing is told', async () => {
    await using rig = await startRig();
    await expect(tagsOf(rig)).rejects.toMatchObject({ code: 'E_IMAGE_NOT_FOUND' });
  });

  test.each(['[]', '{"tags":[1]}', '{"tags":{}}', 'no', '{"tags":["a"],"tags":["b"]}'])(
    'that is %s is refused',
    async (body) => {
      await using rig = await startRig();
      rig.registry.answers.push((_request, response) =>
        send(response, 200, body, 'application/json'),
      );
      await expect(tagsOf(rig)).rejects.toMatchObject({ code: 'E_SOURCE_REGISTRY' });
    },
  );

  test('without an end is refused, and one on another host is not followed there', async () => {
    await using rig = await startRig();
    const link = '<https://elsewhere.example/v2/a/b/tags/list?x>; rel=next';
    for (let count = 0; count < 5; count += 1) {
      rig.registry.answers.push((_request, response) =>
        send(response, 200, '{"tags":null}', 'application/json', { link }),
      );
    }
    await expect(tagsOf(rig)).rejects.toThrow(/without an end/);
    expect(rig.registry.requests.map(({ url }) => url)).toEqual([
      '/v2/a/b/tags/list?n=1000',
      '/v2/a/b/tags/list?x',
    ]);
  });
});

describe('referrers', () => {
  test.each([true, false])('are found (by their API: %s)', async (hasReferrersApi) => {
    await using rig = await startRig({ hasReferrersApi });
    const { registry, client } = rig;
    const subject = registry.putImage('a', 'v1', []);
    expect(await client.referrers('a', subject.digest, quiet())).toEqual([]);
    const referrer = registry.putManifest('a', 'signature', {
      schemaVersion: 2,
      config: wireOf(registry.putBlob(Buffer.from('{}'))),
      layers: [],
      subject: wireOf(subject),
    });
    if (!hasReferrersApi) {
      const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [wireOf(referrer)] };
      registry.putManifest('a', subject.digest.replace(':', '-'), index, OCI_INDEX);
    }
    expect(await client.referrers('a', subject.digest, quiet())).toEqual([referrer]);
  });
});

describe('a closed client', () => {
  test('breaks off what is under way, leaves no connection and does nothing more', async () => {
    await using rig = await startRig();
    const { registry, client } = rig;
    const bytes = Buffer.alloc(1_000_000, 1);
    const put = registry.putBlob(bytes);
    registry.downloads.push({ stallAfterBytes: 10 });
    const blob = await client.openBlob('a', put, quiet());
    const reading = blob.read(new Uint8Array(100), quiet());
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    registry.answers.push(() => isAsked());
    const waiting = client.getManifest('a', 'v1', quiet());
    await asked;
    const [, , ...ends] = await Promise.allSettled([
      client.close(),
      client.close(),
      reading,
      waiting,
    ]);
    expect(ends).toMatchObject([
      { reason: { code: 'E_CLOSED' } },
      { reason: { code: 'E_CLOSED' } },
    ]);
    await expect(client.getManifest('a', 'v1', quiet())).rejects.toMatchObject({
      code: 'E_CLOSED',
    });
    await expect(blob.read(new Uint8Array(1), quiet())).rejects.toMatchObject({ code: 'E_CLOSED' });
    await expect.poll(() => registry.connectionCount()).toBe(0);
  });

  test('an aborted call rejects with the reason at once', async () => {
    await using rig = await startRig();
    const abort = new AbortController();
    const reason = new Error('enough');
    rig.registry.answers.push(() => abort.abort(reason));
    await expect(rig.client.getManifest('a', 'v1', abort.signal)).rejects.toBe(reason);
    await expect(rig.client.getManifest('a', 'v1', abort.signal)).rejects.toBe(reason);
    expect(rig.registry.requests).toHaveLength(1);
  });
});
