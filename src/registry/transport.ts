/** One request and its reply over HTTP/1.1, through a proxy or not. The only user of undici. */

import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { abortable } from '../abort.ts';
import { LongshoreError } from '../errors.ts';
import { proxyFor } from '../network/proxy.ts';
import type { ResolvedRegistryOptions } from './client-options.ts';
import { clientClosed, networkFault, ReadFault } from './read-fault.ts';
import type { Surroundings } from './surroundings.ts';
import { trustOf } from './trust.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A reply whose body somebody must read to its end or destroy. */
export interface HttpReply {
  readonly url: URL;
  readonly status: number;
  readonly body: Readable;
  /** The last header of this name, which is in lower case. */
  header(name: string): string | undefined;
  headers(name: string): readonly string[];
  /** Lets the body go; a short one is read to its end, so that the connection can be used again. */
  discard(): void;
}

/**
 * Connections to one host. A layer that waits for a connection holds memory that the layers with
 * connections may need, so there are more than an uploader has layers in flight (256).
 */
const CONNECTIONS_MAX = 320;
/** What is read of a body nobody wants. */
const DISCARDED_BYTES_MAX = 16_384;
/** Bytes of a body that wait to be read; then the connection is paused. */
const BODY_BUFFER_BYTES = 256 * 1024;
/** Proxies in use at once: one a kind of URL. */
const DISPATCHERS_MAX = 16;

export class Transport {
  readonly #options: ResolvedRegistryOptions;
  readonly #onSend: () => void;
  /** By the proxy's URL; the empty text for none. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  readonly #extraAuthoritiesPath: string | undefined;
  #trust: ReturnType<typeof trustOf> | undefined;
  #isClosed = false;

  /** @param onSend told of every request */
  constructor(
    options: ResolvedRegistryOptions,
    { environment }: Surroundings,
    onSend: () => void = () => undefined,
  ) {
    this.#options = options;
    this.#onSend = onSend;
    this.#extraAuthoritiesPath = environment['NODE_EXTRA_CA_CERTS'];
  }

  /** @throws ReadFault; LongshoreError E_OPTION_INVALID for a bad proxy or certificate */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    signal.throwIfAborted();
    if (this.#isClosed) throw clientClosed();
    const { url, method, headers, body } = request;
    const { connectTimeoutMs, stallTimeoutMs } = this.#options;
    const dispatcher = this.#dispatcherFor(url);
    const end = new AbortController();
    // Bounds what undici has no time-out for as well: proxies that do not answer, names not resolved.
    const waitedMs = connectTimeoutMs + stallTimeoutMs;
    const timer = setTimeout(() => end.abort(silence(url.host, waitedMs)), waitedMs);
    try {
      this.#onSend();
      const reply = dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { ...headers, host: url.host },
        body: body ?? null,
        signal: end.signal,
        // Else a connection would end with each HEAD, and there is one for each tag of a sync.
        reset: false,
        headersTimeout: stallTimeoutMs,
        // Whoever reads the body counts the time: a paused body has not stalled.
        bodyTimeout: 0,
        highWaterMark: BODY_BUFFER_BYTES,
      });
      return replyOf(url, await abortable(reply, signal));
    } catch (error) {
      if (signal.aborted) {
        end.abort(signal.reason);
        throw signal.reason;
      }
      throw this.faultOf(url.host, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What was thrown on the way, as a fault; a closed client is the caller's doing. */
  faultOf(host: string, error: unknown): Error {
    if (this.#isClosed) return clientClosed();
    if (error instanceof ReadFault || LongshoreError.is(error)) return error;
    return networkFault(host, error);
  }

  /** Breaks off what is under way, and leaves no connection. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy(clientClosed())));
  }

  #dispatcherFor(url: URL): Dispatcher {
    const proxyUrl = proxyFor(url.href, this.#options.proxy) ?? '';
    const known = this.#dispatchers.get(proxyUrl);
    if (known !== undefined) return known;
    if (this.#dispatchers.size >= DISPATCHERS_MAX) throw new Error('too many proxies');
    this.#trust ??= trustOf(this.#options.certificateAuthorities, this.#extraAuthoritiesPath);
    const connect = { ...this.#trust, timeout: this.#options.connectTimeoutMs };
    const dispatcher =
      proxyUrl === ''
        ? new Agent({ connections: CONNECTIONS_MAX, connect })
        : this.#proxyAgent(proxyUrl, connect);
    this.#dispatchers.set(proxyUrl, dispatcher);
    return dispatcher;
  }

  #proxyAgent(proxyUrl: string, connect: object): Dispatcher {
    const { connectTimeoutMs } = this.#options;
    const uri = new URL(proxyUrl);
    const token = proxyToken(uri);
    uri.username = '';
    uri.password = '';
    return new ProxyAgent({
      uri: uri.href,
      ...(token !== undefined && { token }),
      connections: CONNECTIONS_MAX,
      requestTls: connect,
      proxyTls: connect,
      // Plain HTTP goes through a proxy as absolute URIs: many refuse to make tunnels for it.
      proxyTunnel: false,
      clientFactory: (origin, options) =>
        new Pool(origin, { ...options, headersTimeout: connectTimeoutMs }),
    });
  }
}

function replyOf(
  url: URL,
  { statusCode, headers, body }: Awaited<ReturnType<Dispatcher['request']>>,
): HttpReply {
  // A body that breaks while nobody reads it must not end the process; its reader is told.
  body.on('error', () => undefined);
  const valuesOf = (name: string): readonly string[] => {
    const value = headers[name];
    return value === undefined ? [] : Array.isArray(value) ? value : [value];
  };
  return {
    url,
    status: statusCode,
    body,
    header: (name) => valuesOf(name).at(-1),
    headers: valuesOf,
    discard: () => {
      body.dump({ limit: DISCARDED_BYTES_MAX }).catch(() => undefined);
    },
  };
}

function silence(host: string, waitedMs: number): ReadFault {
  return new ReadFault(
    'transient',
    `${host} did not answer within ${waitedMs} ms`,
    'check the network and any proxy, or raise stallTimeoutMs',
    { systemCode: 'ETIMEDOUT' },
  );
}

function proxyToken({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const pair = `${decode(username)}:${decode(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
