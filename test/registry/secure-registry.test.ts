import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryOptions } from '../../src/registry/client-options.ts';
import { RegistryClient } from '../../src/registry/registry-client.ts';
import { startProxy } from '../uploader/http-proxy.ts';
import { selfSignedCertificate } from '../uploader/self-signed-certificate.ts';
import { startRig } from './client-rig.ts';
import { digestOf, startRegistry } from './fake-registry.ts';
import { quiet, testSurroundings } from './test-surroundings.ts';

const certificate = selfSignedCertificate();
const trusting = { certificateAuthorities: certificate.cert, plainHttp: false } as const;
let server: Server | undefined;
let host = '';
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
let requestCount = 0;

beforeAll(async () => {
  server = createServer(certificate, (request, response) => {
    requestCount += 1;
    answer(request, response);
  });
  server.listen(0);
  await once(server, 'listening');
  host = `localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});
beforeEach(() => {
  requestCount = 0;
  answer = (_request, response) => response.end('{}');
});

async function read(options: RegistryOptions): Promise<unknown> {
  const client = new RegistryClient(host, { proxy: 'none', ...options }, testSurroundings());
  try {
    return await client.getManifest('a', 'v1', quiet());
  } finally {
    await client.close();
  }
}

describe('a registry with a certificate of its own', () => {
  test('is trusted when told so', async () => {
    await expect(read(trusting)).resolves.toMatchObject({ digest: digestOf(Buffer.from('{}')) });
  });

  test('is not trusted otherwise, and not asked again', async () => {
    await expect(read({ plainHttp: false })).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      message: expect.stringContaining('certificateAuthorities'),
      details: { systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(requestCount).toBe(0);
  });

  test('is reached through a proxy', async () => {
    await using proxy = await startProxy();
    await read({ ...trusting, proxy: proxy.url });
    expect(proxy.requests).toEqual([`CONNECT ${host}`]);
  });

  test('with a bad certificate in the options is told of', async () => {
    await expect(
      read({ certificateAuthorities: '-----BEGIN CERTIFICATE-----\nx', plainHttp: false }),
    ).rejects.toMatchObject({ code: 'E_OPTION_INVALID' });
  });

  test('that speaks plain HTTP is told of', async () => {
    await using registry = await startRegistry();
    const client = new RegistryClient(registry.host, { plainHttp: false, proxy: 'none' });
    await expect(client.getManifest('a', 'v1', quiet())).rejects.toThrow(/plainHttp/);
    await client.close();
  });

  test('cannot send a login to plain HTTP', async () => {
    await using other = await startRegistry({ auth: 'bearer' });
    answer = (_request, response) => {
      const challenge = `Bearer realm="http://${other.host}/token"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    };
    const credentials = { username: 'me', password: 'secret' };
    await expect(read({ ...trusting, credentials })).rejects.toThrow(/over plain HTTP/);
    expect(other.requests).toEqual([]);
  });

  test('can send for blobs to plain HTTP, whose digest is known, but not for tags', async () => {
    await using other = await startRegistry();
    const bytes = Buffer.from('layer');
    const put = other.putBlob(bytes);
    answer = (request, response) => {
      response.writeHead(307, { location: `http://${other.host}${request.url ?? ''}` }).end();
    };
    await expect(read(trusting)).rejects.toThrow(/redirects to plain HTTP/);
    const client = new RegistryClient(host, { proxy: 'none', ...trusting }, testSurroundings());
    const blob = await client.openBlob('a', put, quiet());
    expect(await blob.read(new Uint8Array(5), quiet())).toBe(5);
    await client.close();
  });
});

describe('a proxy', () => {
  test('is used for plain HTTP, with its password', async () => {
    await using proxy = await startProxy();
    const url = new URL(proxy.url);
    url.username = 'me';
    url.password = 'p%40ss';
    await using rig = await startRig({}, { proxy: url });
    rig.registry.putImage('a', 'v1', []);
    await rig.client.getManifest('a', 'v1', quiet());
    await rig.client.getManifest('a', 'v1', quiet());
    const seen = `GET http://${rig.registry.host}/v2/a/manifests/v1`;
    expect(proxy.requests).toEqual([seen, seen]);
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.authorizations).toEqual([basic, basic]);
  });

  test.each(['http', 'https'])(
    'that refuses us is told of without its password (%s)',
    async (scheme) => {
      await using proxy = await startProxy(407);
      const url = new URL(proxy.url);
      url.username = 'me';
      url.password = 'hunter2';
      const options = { ...trusting, proxy: url, plainHttp: scheme === 'http' };
      const error: unknown = await read(options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'E_SOURCE_REGISTRY',
        message: expect.stringContaining('of the proxy'),
      });
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('hunter2');
    },
  );
});
