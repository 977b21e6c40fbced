/** Carries exchanges over HTTP/1.1, as slowly as the network model says. */

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { BodyReceiver } from './body-receiver.ts';
import type { EcrService } from './ecr-service.ts';
import {
  CONNECTIONS_MAX,
  HEAD_SIZE_MAX_BYTES,
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
} from './emulator-limits.ts';
import { DistributionExchange } from './distribution/distribution-exchange.ts';
import { isDistribution } from './distribution/route.ts';
import { Exchange } from './exchange.ts';
import { isDownload } from './layer-download.ts';
import type { LayerDownload } from './layer-download.ts';
import type { ConnectionLines } from './network-model.ts';
import type { Reply } from './reply.ts';
import type { RequestExchange, RequestHead } from './request-exchange.ts';

interface Connection {
  readonly id: number;
  readonly lines: ConnectionLines | undefined;
  /** The request is whole and the client waits for us: silence is not its fault. */
  isAnswering: boolean;
}

/** Pieces in which a dripping reply leaves. */
const DRIP_SIZE_BYTES = 16;

export class HttpServer {
  readonly #service: EcrService;
  readonly #downloads: LayerDownload;
  readonly #server: Server;
  readonly #connections: Map<Socket, Connection> = new Map();
  #connectionCount = 0;

  constructor(service: EcrService, downloads: LayerDownload) {
    this.#service = service;
    this.#downloads = downloads;
    const { tls } = service.options;
    const limits = {
      maxHeaderSize: HEAD_SIZE_MAX_BYTES,
      headersTimeout: HEAD_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: HEAD_TIMEOUT_MS / 2,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      noDelay: true,
    };
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch(() => request.socket.destroy());
    };
    this.#server =
      tls === undefined
        ? createServer(limits, listener)
        : createTlsServer({ ...limits, ...tls }, listener);
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.setTimeout(IDLE_TIMEOUT_MS, (socket: Socket) => {
      if (this.#connections.get(socket)?.isAnswering !== true) socket.destroy();
    });
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#connected(socket);
    });
  }

  /** Listens; resolves with the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, whatever it is doing. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.closeAllConnections();
    await closed;
  }

  #connected(socket: Socket): void {
    this.#connectionCount += 1;
    const lines = this.#service.network.linesOf(performance.now());
    this.#connections.set(socket, { id: this.#connectionCount, lines, isAnswering: false });
    // A client that breaks off is daily bread here; 'close' follows and cleans up.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#connections.delete(socket));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const head = {
      method: request.method ?? '',
      target: request.url ?? '',
      headers: joinedHeaders(request),
    };
    if (isDownload(head.target)) {
      await this.#download(head, request, response);
      return;
    }
    const connection = this.#connections.get(socket);
    const exchange = this.#exchangeOf({ ...head, connectionId: connection?.id ?? 0 });
    response.once('close', () => exchange.close());
    const { verdict } = exchange;
    if (verdict.kind === 'reset') {
      reset(socket);
      return;
    }
    if (verdict.kind === 'refuse') {
      await this.#answer(verdict.reply, response, true);
      return;
    }
    const receiver = new BodyReceiver(request, exchange, connection?.lines, (isBusy) => {
      if (connection !== undefined) connection.isAnswering = isBusy;
    });
    const ending = await receiver.receive();
    if (ending === 'cut') reset(socket);
    if (ending !== 'whole' && ending !== 'overlong') return;
    if (connection !== undefined) {
      connection.isAnswering = true;
      response.once('close', () => {
        connection.isAnswering = false;
      });
    }
    const reply = await exchange.end();
    await this.#answer(reply, response, ending === 'overlong');
    // From here on it is the client's turn: to read.
    if (connection !== undefined && response.writableEnded) connection.isAnswering = false;
  }

  #exchangeOf(head: RequestHead): RequestExchange {
    const isV2 = isDistribution(head.target);
    return new (isV2 ? DistributionExchange : Exchange)(this.#service, head);
  }

  async #answer(reply: Reply, response: ServerResponse, endsConnection: boolean): Promise<void> {
    const { network, waits } = this.#service;
    await waits.wait(network.roundTripMs());
    const { delivery } = reply;
    if (delivery.kind === 'stall' || response.destroyed) return;
    if (delivery.kind === 'drop') {
      if (response.socket !== null) reset(response.socket);
      return;
    }
    const body = Buffer.from(reply.body);
    response.writeHead(reply.statusCode, {
      // A reply to HEAD says how long its body would be; one without a body may not say anything.
      ...(reply.statusCode === 204 ? {} : { 'content-length': body.length }),
      ...reply.headers,
      ...(endsConnection ? { connection: 'close' } : {}),
    });
    if (delivery.kind === 'drip') {
      for (let position = 0; position < body.length; position += DRIP_SIZE_BYTES) {
        if (response.destroyed) return;
        response.write(body.subarray(position, position + DRIP_SIZE_BYTES));
        await waits.wait((DRIP_SIZE_BYTES * 1000) / delivery.bytesPerSecond);
      }
      response.end();
      return;
    }
    response.end(body);
  }

  async #download(
    head: { readonly method: string; readonly target: string; readonly headers: HeaderRecord },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    request.resume();
    const { network, waits } = this.#service;
    await waits.wait(network.roundTripMs());
    const reply = this.#downloads.handle(head);
    response.writeHead(reply.statusCode, reply.headers);
    if (typeof reply.body === 'string') response.end(reply.body);
    else await pipeline(Readable.from(reply.body, { objectMode: true }), response);
  }
}

type HeaderRecord = Readonly<Record<string, string>>;

function joinedHeaders(request: IncomingMessage): HeaderRecord {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers[name] = values.join(', ');
  }
  return headers;
}

function reset(socket: Socket): void {
  if ('resetAndDestroy' in socket && !('encrypted' in socket)) socket.resetAndDestroy();
  else socket.destroy();
}
