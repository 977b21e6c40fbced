/** An HTTP gateway in front of an emulator, for what only a network, or the other host, can do. */

import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Operation } from './fault.ts';

export interface GatewayAct {
  readonly kind:
    | 'reset-before'
    | 'reset-inside'
    | 'reset-after'
    | 'cut-reply'
    | 'black-hole'
    | 'stuck-reply'
    | 'restart'
    | 'status'
    | 'wrong-bytes';
  /** Of the body or the reply, 0..1: where it strikes. */
  readonly fraction: number;
  /** For `status`. */
  readonly httpStatus?: number;
}

/** Strikes the nth such request and those that follow, so many times. */
export interface Strike {
  readonly operation: Operation;
  readonly act: GatewayAct;
  readonly nth: number;
  readonly times: number;
}

export interface GatewayOptions {
  /** Where the emulator is; `undefined` while it is away. */
  readonly target: () => string | undefined;
  readonly restart: () => void;
}

interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #strike: Strike | undefined;
  #matchCount = 0;
  #strikeCount = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @returns its endpoint */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.#origin;
  }

  arm(strike: Strike): void {
    this.#strike = strike;
    this.#matchCount = 0;
    this.#strikeCount = 0;
  }

  /** @returns how often it struck */
  disarm(): number {
    this.#strike = undefined;
    return this.#strikeCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #actFor(operation: string): GatewayAct | undefined {
    const strike = this.#strike;
    if (strike === undefined || strike.operation !== operation) return undefined;
    this.#matchCount += 1;
    if (this.#matchCount < strike.nth || this.#strikeCount >= strike.times) return undefined;
    this.#strikeCount += 1;
    return strike.act;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = operationOf(request);
    const act = this.#actFor(operation);
    const { socket } = request;
    request.on('error', () => undefined);
    switch (act?.kind) {
      case 'reset-before':
        socket.resetAndDestroy();
        return;
      case 'reset-inside':
        if (await received(request, act.fraction)) socket.resetAndDestroy();
        return;
      case 'reset-after':
        if (await received(request, 1)) socket.resetAndDestroy();
        return;
      case 'black-hole':
        await received(request, act.fraction);
        return;
      case 'restart':
        this.#options.restart();
        socket.resetAndDestroy();
        return;
      case 'status':
        request.resume();
        response.writeHead(act.httpStatus ?? 500).end('by fault');
        return;
      case 'cut-reply':
      case 'stuck-reply':
      case 'wrong-bytes':
      case undefined:
        break;
    }
    const reply = await this.#forward(request, operation);
    if (reply === undefined) socket.resetAndDestroy();
    else this.#answer(reply, act, response);
  }

  #answer(
    { statusCode, headers, body }: Reply,
    act: GatewayAct | undefined,
    response: ServerResponse,
  ): void {
    const { socket } = response;
    if (socket === null) return;
    const head = { ...headers, 'content-length': String(body.length) };
    switch (act?.kind) {
      case 'cut-reply': {
        // Raw, so that the cut may be in the head as well.
        const raw = Buffer.concat([Buffer.from(rawHead(statusCode, head)), body]);
        socket.end(raw.subarray(0, Math.floor(act.fraction * raw.length)));
        return;
      }
      case 'stuck-reply':
        response.writeHead(statusCode, head);
        response.write(body.subarray(0, Math.floor(act.fraction * body.length)));
        return;
      case 'wrong-bytes': {
        const wrong = Buffer.from(body);
        const at = Math.floor(act.fraction * wrong.length);
        wrong[at] = (wrong[at] ?? 0) ^ 1;
        response.writeHead(statusCode, head).end(wrong);
        return;
      }
      default:
        response.writeHead(statusCode, head).end(body);
    }
  }

  /** `undefined` if there is nobody to answer. */
  async #forward(request: IncomingMessage, operation: string): Promise<Reply | undefined> {
    const target = this.#options.target();
    if (target === undefined) return undefined;
    const { hostname, port } = new URL(target);
    const { method, url: path, headers } = request;
    const upstream = httpRequest({ hostname, port, method, path, headers, agent: this.#agent });
    request.once('close', () => {
      if (!request.complete) upstream.destroy();
    });
    request.pipe(upstream);
    try {
      const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const reply = {
        statusCode: answer.statusCode ?? 500,
        headers: plainHeaders(answer),
        body: Buffer.concat(chunks),
      };
      return operation === 'GetDownloadUrlForLayer' ? this.#redirected(reply) : reply;
    } catch {
      return undefined;
    } finally {
      upstream.on('error', () => undefined);
    }
  }

  /** Downloads come this way too. */
  #redirected(reply: Reply): Reply {
    const text = reply.body.toString().replace(/http:\/\/localhost:\d+/, this.#origin);
    return { ...reply, body: Buffer.from(text) };
  }
}

function operationOf({ url = '', headers }: IncomingMessage): string {
  if (url.startsWith('/layers/')) return 'download of a blob';
  return String(headers['x-amz-target']).split('.').at(-1) ?? '';
}

/** Takes this much of the body and no more. Resolves with whether it came. */
function received(request: IncomingMessage, fraction: number): Promise<boolean> {
  const wantedBytes = Math.floor(Number(request.headers['content-length'] ?? 0) * fraction);
  let lengthBytes = 0;
  return new Promise((resolve) => {
    const look = (): void => {
      if (lengthBytes < wantedBytes) return;
      request.pause();
      resolve(true);
    };
    request.on('data', (chunk: Buffer) => {
      lengthBytes += chunk.length;
      look();
    });
    request.once('end', () => resolve(true));
    request.once('close', () => resolve(false));
    look();
  });
}

function plainHeaders(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (name === 'transfer-encoding' || name === 'connection' || name === 'keep-alive') continue;
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

function rawHead(statusCode: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusCode} Fault\r\n${lines.join('')}\r\n`;
}
