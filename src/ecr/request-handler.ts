/**
 * The SDK's way out to the network. The SDK resolves endpoint, region, credentials and clock, and
 * signs; then a part's head goes to the worker that holds its body, and every other request to the
 * SDK's own HTTP handler, through a proxy if the environment asks for one.
 */

import type { Agent as HttpsAgent } from 'node:https';
import type { NodeHttpHandler, NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import type { ConnectionSettings, PartTransmitter } from '../layer/part-transmitter.ts';
import type { PreparedPart } from '../layer/ports.ts';
import { proxyFor } from '../network/proxy.ts';

type SmithyRequest = Parameters<NodeHttpHandler['handle']>[0];
type SmithyResponse = Awaited<ReturnType<NodeHttpHandler['handle']>>['response'];

/** What the SDK's `requestHandler` has to offer. */
export interface HttpHandler {
  handle(
    request: SmithyRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ response: SmithyResponse }>;
  destroy?(): void;
}

/** Rides along with a request's options from `send` to `handle`. */
export interface PartOptions {
  readonly abortSignal: AbortSignal;
  readonly longshorePart?: {
    readonly part: PreparedPart;
    readonly gate: Promise<void> | undefined;
    /** Called when the request is signed and goes to a worker. */
    readonly onHanded: () => void;
  };
}

export interface RequestHandlerSettings {
  readonly proxy: 'environment' | 'none' | URL;
  readonly connection: Omit<ConnectionSettings, 'proxyUrl'>;
  /** The caller's own, for everything but parts. */
  readonly custom: HttpHandler | undefined;
  /** The caller's settings for the SDK's own handler; they go before ours. */
  readonly customOptions: NodeHttpHandlerOptions;
}

/** Parallel control calls; each is short. */
const CONTROL_CONNECTIONS_MAX = 64;

export class RequestHandler implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #transmitter: PartTransmitter;
  readonly #settings: RequestHandlerSettings;
  readonly #control = new Map<string, Promise<HttpHandler>>();

  constructor(transmitter: PartTransmitter, settings: RequestHandlerSettings) {
    this.#transmitter = transmitter;
    this.#settings = settings;
  }

  async handle(
    request: SmithyRequest,
    options: Partial<PartOptions> = {},
  ): Promise<{ response: SmithyResponse }> {
    const origin = `${request.protocol}//${request.hostname}`;
    const proxyUrl = proxyFor(
      request.port === undefined ? origin : `${origin}:${request.port}`,
      this.#settings.proxy,
    );
    const { longshorePart, abortSignal } = options;
    if (longshorePart === undefined || abortSignal === undefined) {
      const control = await this.#controlHandler(request.protocol, proxyUrl);
      return control.handle(request, options);
    }
    longshorePart.onHanded();
    const { protocol, hostname, port, path, method, headers } = request;
    const reply = await this.#transmitter.transmit(
      longshorePart.part,
      { protocol, hostname, port, path, method, headers },
      longshorePart.gate,
      { ...this.#settings.connection, proxyUrl },
      abortSignal,
    );
    return { response: { ...reply, reason: '' } };
  }

  destroy(): void {
    for (const handler of this.#control.values()) {
      void handler.then((made) => made.destroy?.()).catch(() => undefined);
    }
    this.#control.clear();
  }

  // The SDK asks for these two; our settings come from elsewhere.
  updateHttpClientConfig(): void {
    return undefined;
  }

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  #controlHandler(protocol: string, proxyUrl: string | undefined): Promise<HttpHandler> {
    const { custom } = this.#settings;
    if (custom !== undefined) return Promise.resolve(custom);
    const key = `${protocol} ${proxyUrl ?? ''}`;
    let handler = this.#control.get(key);
    if (handler === undefined) {
      handler = this.#createControlHandler(protocol, proxyUrl);
      this.#control.set(key, handler);
    }
    return handler;
  }

  async #createControlHandler(
    protocol: string,
    proxyUrl: string | undefined,
  ): Promise<HttpHandler> {
    const { certificateAuthorities, connectTimeoutMs, replyTimeoutMs } = this.#settings.connection;
    const { NodeHttpHandler: SdkHandler } = await import('./ecr-sdk.ts');
    // With it all of Node's HTTP and TLS is loaded, which programs that send nothing need not wait for.
    const { createAgent } = await import('../network/agent.ts');
    const agent = await createAgent({ protocol, certificateAuthorities, proxyUrl });
    agent.maxSockets = CONTROL_CONNECTIONS_MAX;
    return new SdkHandler({
      ...(protocol === 'https:' ? { httpsAgent: agent as HttpsAgent } : { httpAgent: agent }),
      connectionTimeout: connectTimeoutMs,
      requestTimeout: replyTimeoutMs,
      // From the reply's head to its end; the request time-out ends with the head.
      socketTimeout: replyTimeoutMs,
      throwOnRequestTimeout: true,
      ...this.#settings.customOptions,
    });
  }
}
