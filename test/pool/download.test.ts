import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WorkerPool } from '../../src/pool/worker-pool.ts';
import { Workshop } from '../../src/pool/workshop.ts';
import { digestOf } from '../image/memory-image.ts';

const CONNECTION = {
  certificateAuthorities: undefined,
  proxyUrl: undefined,
  connectTimeoutMs: 2000,
  stallTimeoutMs: 2000,
  replyTimeoutMs: 2000,
};
const content = Buffer.alloc(300_000, 'content ');
const { signal } = new AbortController();

/** A workshop and the URL of a server that answers by script. */
async function withServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  work: (workshop: Workshop, url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const pool = new WorkerPool(1, undefined);
  try {
    const { port } = server.address() as AddressInfo;
    await work(new Workshop(pool, 'wasm'), `http://127.0.0.1:${port}/blob`);
  } finally {
    await pool.close();
    server.closeAllConnections();
    server.close();
  }
}

describe('a download', () => {
  test('gives digest and size', () =>
    withServer(
      (_request, response) => response.end(content),
      async (workshop, url) => {
        const read = await workshop.download(url, content.length, CONNECTION, signal);
        expect(read).toEqual({ digest: digestOf(content), sizeBytes: content.length });
      },
    ));

  test('of fewer bytes than said gives those there are', () =>
    withServer(
      (_request, response) => response.end(content.subarray(1)),
      async (workshop, url) => {
        const { sizeBytes } = await workshop.download(url, content.length, CONNECTION, signal);
        expect(sizeBytes).toBe(content.length - 1);
      },
    ));

  test('of more bytes than said is broken off', () =>
    withServer(
      (_request, response) => {
        // Never ends by itself.
        response.write(content);
      },
      async (workshop, url) => {
        const { sizeBytes } = await workshop.download(url, 10, CONNECTION, signal);
        expect(sizeBytes).toBeGreaterThan(10);
      },
    ));

  test.each([
    [
      'is answered with an error',
      (response: ServerResponse) => void response.writeHead(403).end('no'),
      'HTTP status 403',
    ],
    [
      'is cut short',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 10 });
        response.write('five!', () => response.socket?.destroy());
      },
      'cut short',
    ],
  ])('that %s fails as a failure of the network', (_name, answer, text) =>
    withServer(
      (_request, response) => answer(response),
      async (workshop, url) => {
        const downloading = workshop.download(url, 10, CONNECTION, signal);
        await expect(downloading).rejects.toMatchObject({
          kind: 'network',
          httpStatus: text.startsWith('HTTP') ? 403 : undefined,
          message: expect.stringContaining(text) as string,
        });
      },
    ),
  );

  test('that stalls times out', () =>
    withServer(
      (_request, response) => void response.write('five!'),
      async (workshop, url) => {
        const connection = { ...CONNECTION, stallTimeoutMs: 50 };
        const downloading = workshop.download(url, 10, connection, signal);
        await expect(downloading).rejects.toMatchObject({ kind: 'timeout', waitedMs: 50 });
      },
    ));

  test('whose server does not finish the handshake times out', async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    await withServer(
      () => undefined,
      async (workshop) => {
        const connection = { ...CONNECTION, connectTimeoutMs: 50 };
        const url = `https://127.0.0.1:${port}/blob`;
        const downloading = workshop.download(url, 10, connection, signal);
        await expect(downloading).rejects.toMatchObject({ kind: 'timeout', waitedMs: 50 });
      },
    );
    silent.close();
  });

  test('that is aborted rejects with the reason and spoils no other digest', () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    return withServer(
      (request, response) => {
        if (request.url === '/other') {
          response.end(content);
          return;
        }
        response.write(content.subarray(0, 1000));
        abort.abort(reason);
      },
      async (workshop, url) => {
        const downloading = workshop.download(url, 1e9, CONNECTION, abort.signal);
        await expect(downloading).rejects.toBe(reason);
        const other = new URL('/other', url).href;
        const read = await workshop.download(other, content.length, CONNECTION, signal);
        expect(read.digest).toBe(digestOf(content));
      },
    );
  });
});
