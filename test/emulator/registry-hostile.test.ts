import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { MIB, REPOSITORY, digestOf, withEmulator } from './fixture.ts';
import { RegistryClient, basic, until } from './registry-client.ts';
import { rawRequest } from './raw-request.ts';

const BASE = `/v2/${REPOSITORY}`;

test.each([
  ['/v2/%/manifests/x', 400],
  ['/v2/%c0%ae%c0%ae/manifests/x', 400],
  ['/v2/../../etc/passwd', 404],
  ['/v2/a/../b/manifests/x', 400],
  [`/v2/${'a/'.repeat(5000)}b/manifests/x`, 400],
  [`/v2/${'a-'.repeat(7000)}/manifests/x`, 400],
  [`${BASE}/manifests/${'t'.repeat(129)}`, 400],
  [`${BASE}/manifests/sha256:${'0'.repeat(63)}`, 400],
  [`${BASE}/manifests/%00`, 400],
  [`${BASE}/tags/list?n=99999999999999999999`, 405],
  [`${BASE}/tags/list?last=%ff%fe`, 405],
  [`${BASE}/referrers/${digestOf('')}?${'artifactType=a&'.repeat(6)}`, 405],
  [`${BASE}/referrers/${digestOf('')}?artifactType=`, 405],
])('%j is answered with %i', (path, status) =>
  withEmulator({}, async (emulator) => {
    const reply = await rawRequest(
      emulator,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic(emulator)}\r\n\r\n`,
    );
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(reply).toContain('{"errors":[{"code":"');
  }),
);

test.each(['TRACE', 'OPTIONS', 'POST', 'PROPFIND'])('%s is no method of an image', (method) =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send(method, `${BASE}/manifests/v1`);
    expect(reply).toMatchObject({ status: 405, code: 'UNSUPPORTED' });
    expect(reply.headers.allow).toBe('GET, HEAD, PUT, DELETE');
  }),
);

test('a head of unreasonable size is refused', () =>
  withEmulator({}, async (emulator) => {
    const head = `GET /v2/${'a'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`;
    expect(await rawRequest(emulator, head)).toMatch(/^HTTP\/1\.1 431 /);
  }));

test('a manifest without end is refused, whether it tells its length or not', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const expected = { status: 413, code: 'SIZE_INVALID', headers: { connection: 'close' } };
    const path = `${BASE}/manifests/v1`;
    const told = { headers: { 'content-length': String(9 * MIB) }, body: [Buffer.alloc(1)] };
    expect(await client.send('PUT', path, told)).toMatchObject(expected);
    const { hostname, port } = new URL(emulator.endpoint);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    let reply = '';
    socket.on('data', (chunk) => {
      reply += String(chunk);
    });
    socket.write(
      `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic(emulator)}\r\n` +
        'transfer-encoding: chunked\r\n\r\n',
    );
    const piece = Buffer.concat([
      Buffer.from('100000\r\n'),
      Buffer.alloc(MIB),
      Buffer.from('\r\n'),
    ]);
    const feed = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', feed);
    feed();
    await until(() => reply.includes('SIZE_INVALID'));
    socket.destroy();
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
  }));

test('a body where none is due does no harm', () =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send('GET', '/v2/', { body: 'surprise' });
    expect(reply.status).toBe(200);
  }));

test('a body that is neither whole nor broken off is ended with the emulator', () =>
  withEmulator({}, async (emulator) => {
    const upload = await new RegistryClient(emulator).startUpload();
    const { hostname, port } = new URL(emulator.endpoint);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `PATCH ${upload} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic(emulator)}\r\n` +
        'content-length: 5000\r\n\r\nsome',
    );
    await until(() => emulator.journal.count({ operation: 'UploadLayerPart' }) === 1);
    const closed = once(socket, 'close');
    await emulator.stop();
    await closed;
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
  }));
