/** The in-process door: the `requestHandler` of an AWS SDK client, without a socket. */

import { Readable } from 'node:stream';
import type { EcrService } from './ecr-service.ts';
import { Exchange } from './exchange.ts';
import type { Reply } from './reply.ts';

/** What the SDK hands to its request handler. */
export interface HandlerRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Text, bytes, or a stream of bytes. */
  readonly body?: unknown;
}

export interface HandlerOptions {
  readonly abortSignal?: unknown;
}

export interface HandlerResponse {
  readonly response: {
    readonly statusCode: number;
    readonly headers: Record<string, string>;
    readonly body: Readable;
  };
}

/** Drives an `ECRClient`: `new ECRClient({ requestHandler: emulator.requestHandler })`. */
export interface EmulatorRequestHandler {
  handle(request: HandlerRequest, options?: HandlerOptions): Promise<HandlerResponse>;
}

export function createRequestHandler(service: EcrService): EmulatorRequestHandler {
  return {
    async handle(request, options = {}) {
      const exchange = new Exchange(service, {
        method: request.method,
        target: targetOf(request),
        headers: lowerCased(request.headers),
        connectionId: 0,
      });
      try {
        const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
        const reply = await race(carry(exchange, request.body), signal);
        return toResponse(reply);
      } finally {
        exchange.close();
      }
    },
  };
}

async function carry(exchange: Exchange, body: unknown): Promise<Reply> {
  const { verdict } = exchange;
  if (verdict.kind === 'reset') throw brokenConnection();
  if (verdict.kind === 'refuse') return verdict.reply;
  for await (const chunk of chunksOf(body)) {
    exchange.write(chunk);
    if (exchange.isCut) throw brokenConnection();
    if (exchange.isOverlong) break;
  }
  const reply = await exchange.end();
  if (reply.delivery.kind === 'drop') throw brokenConnection();
  if (reply.delivery.kind === 'stall') return new Promise<Reply>(() => undefined);
  return reply;
}

async function* chunksOf(body: unknown): AsyncIterable<Buffer> {
  if (body === undefined || body === null) return;
  if (body instanceof Uint8Array) {
    // A view: the SDK's own byte class warns when it is taken for text.
    yield Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  } else if (typeof body === 'string') {
    yield Buffer.from(body);
  } else if (typeof body === 'object' && Symbol.asyncIterator in body) {
    for await (const chunk of body as AsyncIterable<Uint8Array | string>) {
      yield Buffer.from(chunk as string);
    }
  } else {
    throw new TypeError('The request body must be text, bytes or a stream of bytes');
  }
}

function race(reply: Promise<Reply>, signal: AbortSignal | undefined): Promise<Reply> {
  if (signal === undefined) return reply;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      const error = new Error('Request aborted');
      error.name = 'AbortError';
      reject(error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    reply.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function toResponse(reply: Reply): HandlerResponse {
  const body = Readable.from([Buffer.from(reply.body)], { objectMode: false });
  return { response: { statusCode: reply.statusCode, headers: { ...reply.headers }, body } };
}

function targetOf({ path, query = {} }: HandlerRequest): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) search.append(name, item);
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function brokenConnection(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}
