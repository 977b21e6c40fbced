/** A small HTTP server for pages that probes and Prometheus read; it takes nothing in. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CommandFailure } from './command-failure.ts';
import type { ListenAddress } from './listen-address.ts';

export interface HealthPage {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HealthServer {
  /** With the port that was found, where any was wanted. */
  readonly address: ListenAddress;
  /** Ends also connections that are kept open. */
  close(): Promise<void>;
}

/** Whoever asks has a second or two, a few hundred bytes and one of a few connections. */
const HEADER_MAX_BYTES = 4096;
const HEADER_COUNT_MAX = 32;
const REQUEST_TIMEOUT_MS = 5000;
/** A reply that nobody takes. */
const SOCKET_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
const CHECK_INTERVAL_MS = 1000;
const CONNECTIONS_MAX = 32;
const REQUESTS_PER_CONNECTION_MAX = 1000;

/** @throws CommandFailure */
export async function startHealthServer(
  { host, port }: ListenAddress,
  pages: Readonly<Record<string, () => Promise<HealthPage>>>,
): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_MAX_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => void answer(request, response, pages),
  );
  server.maxHeadersCount = HEADER_COUNT_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
  server.setTimeout(SOCKET_TIMEOUT_MS);
  await listen(server, { host, port });
  // Without a listener a later trouble of the socket would end the sync.
  server.on('error', () => undefined);
  const bound = server.address();
  const found = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: { host, port: found }, close: () => close(server) };
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new CommandFailure(`cannot listen on ${host}:${port}${code}; choose another --listen`);
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: Readonly<Record<string, () => Promise<HealthPage>>>,
): Promise<void> {
  const page = await pageFor(request, pages);
  // A body is not read, so nothing after it on this connection can be.
  if (hasBody(request)) response.setHeader('connection', 'close');
  if (page.status === 405) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

async function pageFor(
  request: IncomingMessage,
  pages: Readonly<Record<string, () => Promise<HealthPage>>>,
): Promise<HealthPage> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'GET and HEAD only');
  if (hasBody(request)) return plain(413, 'no body is taken');
  const path = (request.url ?? '').split('?')[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return plain(404, `there is ${Object.keys(pages).join(' and ')}`);
  try {
    return await page();
  } catch {
    return plain(500, 'the page could not be made');
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function plain(status: number, text: string): HealthPage {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
