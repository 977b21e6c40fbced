import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type HealthServer, startHealthServer } from '../../src/cli/health-server.ts';
import { parseListenAddress, urlOf } from '../../src/cli/listen-address.ts';

const PAGE = { status: 200, contentType: 'text/plain', body: 'fine\n' };
let server: HealthServer;
let url: string;

beforeEach(async () => {
  server = await startHealthServer(parseListenAddress('0'), {
    '/healthz': () => Promise.resolve(PAGE),
    '/broken': () => Promise.reject(new Error('hush-inside')),
  });
  url = urlOf(server.address);
});
afterEach(() => server.close());

/** Sends raw bytes and gives all that comes back until the server ends the connection. */
async function rawly(text: string): Promise<string> {
  const socket = connect(server.address.port, '127.0.0.1');
  let reply = '';
  socket.on('data', (chunk) => {
    reply += chunk.toString();
  });
  // A server that has said what it wants may reset what is still being sent.
  socket.on('error', () => undefined);
  socket.write(text);
  // Not `once`, which rejects with that error.
  await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return reply;
}

describe('the health server', () => {
  test('gives pages, and their heads alone', async () => {
    const whole = await fetch(`${url}/healthz?probe=1`);
    expect([whole.status, await whole.text()]).toEqual([200, 'fine\n']);
    expect(whole.headers.get('cache-control')).toBe('no-store');
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe('5');
  });

  test.each(['/', '/healthz/', '/toString', '/__proto__'])('has no page %s', async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('does not take %s', async (method) => {
    const reply = await fetch(`${url}/healthz`, { method });
    expect(reply.status).toBe(405);
    expect(reply.headers.get('allow')).toBe('GET, HEAD');
  });

  test('takes no body, and ends a connection that brings one', async () => {
    const reply = await rawly('GET /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello');
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
    expect(reply.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('tells nothing of what went wrong inside', async () => {
    const reply = await fetch(`${url}/broken`);
    expect(reply.status).toBe(500);
    expect(await reply.text()).not.toContain('hush');
  });

  test('refuses a head that is too large, and what is no HTTP', async () => {
    const large = `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(8000)}\r\n\r\n`;
    expect(await rawly(large)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await rawly('\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('closes while somebody is still connected', async () => {
    const socket = connect(server.address.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await server.close();
    await closed;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
    // For afterEach, which closes it.
    server = await startHealthServer(parseListenAddress('0'), {});
  });

  test('drops whoever comes when 32 are connected, and serves again when one is gone', async () => {
    const idle = Array.from({ length: 32 }, () => connect(server.address.port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    expect(await rawly('GET /healthz HTTP/1.0\r\n\r\n')).toBe('');
    const [first] = idle;
    first?.end('GET /healthz HTTP/1.0\r\n\r\n');
    if (first !== undefined) await once(first.resume(), 'close');
    expect(await rawly('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of idle) socket.destroy();
  });

  test('says where it cannot listen', async () => {
    await expect(startHealthServer(server.address, {})).rejects.toThrow(
      `cannot listen on 127.0.0.1:${server.address.port} (EADDRINUSE); choose another --listen`,
    );
  });
});

test.each([
  ['9090', '127.0.0.1', 9090],
  [':9090', '127.0.0.1', 9090],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['localhost:80', 'localhost', 80],
  ['[::1]:9090', '::1', 9090],
])('the address %s is host %s and port %i', (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test.each(['', 'host', '::1:9090', 'a b:1', '1:99999', '[::1', 'http://a:1'])(
  'the address "%s" is refused',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow('Expected HOST:PORT');
  },
);
