/** Requests to one registry: authorised, redirected, repeated where that may help. */

import type { Digest } from '../digest.ts';
import { Authorizer } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import type { ResolvedRegistryOptions } from './client-options.ts';
import { CredentialStore } from './credential-store.ts';
import { sendFollowing } from './redirect.ts';
import { refusalOf } from './refusal.ts';
import type { Passage, RegistryTraffic, RequestKind } from './registry-traffic.ts';
import type { Download } from './request-permits.ts';
import { waitForRetry, withRetries } from './retry.ts';
import type { Surroundings } from './surroundings.ts';
import { type HttpReply, Transport } from './transport.ts';

export interface ReadRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  /** Whose scope is asked for. */
  readonly repository: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the reply's digest is known, so that it may come over plain HTTP. */
  readonly isContentAddressed: boolean;
  /** Whose bytes are asked for, if it is a blob's; it may lose its connection while nobody reads. */
  readonly download?: Download;
}

/** Answers to 401 within one attempt: with what is known, with what is new, with another scope. */
const AUTHORIZATIONS_MAX = 2;

/** Everything that the requests of one client share. */
export class RegistrySession {
  readonly options: ResolvedRegistryOptions;
  readonly #endpoint: URL;
  readonly #surroundings: Surroundings;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #traffic: RegistryTraffic | undefined;

  /**
   * @param signal ends when the client is closed
   * @param traffic where many images are read, what bounds and counts the requests
   */
  constructor(
    registry: string,
    endpoint: URL,
    options: ResolvedRegistryOptions,
    surroundings: Surroundings,
    signal: AbortSignal,
    traffic?: RegistryTraffic,
  ) {
    this.options = options;
    this.#traffic = traffic;
    this.#endpoint = endpoint;
    this.#surroundings = surroundings;
    this.#transport = new Transport(options, surroundings, () => traffic?.sent());
    this.#authorizer = new Authorizer({
      registry,
      endpoint,
      transport: this.#transport,
      credentials: new CredentialStore(registry, options.credentials, surroundings, signal),
      stallTimeoutMs: options.stallTimeoutMs,
      now: () => surroundings.now(),
      signal,
    });
  }

  /**
   * Sends and lets `consume` read the reply, which is one of success; both again after failures that may
   * pass.
   * @throws ReadFault, what `consume` threw, or the signal's reason
   */
  async perform<T>(
    request: ReadRequest,
    consume: (reply: HttpReply) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const attempt = async (): Promise<T> => {
      const reply = await this.attempt(request, signal);
      try {
        return await consume(reply);
      } catch (error) {
        reply.body.destroy();
        throw this.faultOf(reply, error);
      }
    };
    return withRetries(attempt, this.options, this.#surroundings, signal);
  }

  /**
   * One attempt; more only as long as the registry asks for patience.
   * @throws ReadFault, or the signal's reason
   */
  async attempt(request: ReadRequest, signal: AbortSignal): Promise<HttpReply> {
    if (this.#traffic === undefined) return this.#send(request, signal);
    for (;;) {
      const passage = await this.#traffic.enter(kindOf(request), request.download, signal);
      try {
        const reply = await this.#send(request, signal, passage);
        passage.answered(reply);
        if (reply.body.destroyed) passage.leave();
        else reply.body.once('close', () => passage.leave());
        return reply;
      } catch (error) {
        const isAgain = passage.failed(error);
        passage.leave();
        if (!isAgain) throw error;
      }
    }
  }

  /** A clock for who reads. */
  nowMs(): number {
    return this.#surroundings.now();
  }

  /** Tells of bytes of a blob that have come over the network. */
  received(digest: Digest, firstByte: number, count: number): void {
    this.#traffic?.marks.note(digest, firstByte, count);
  }

  async #send(request: ReadRequest, signal: AbortSignal, passage?: Passage): Promise<HttpReply> {
    const { method, url, repository, isContentAddressed } = request;
    let authorization = await this.#authorizer.header(repository, signal);
    for (let answerCount = 0; ; answerCount += 1) {
      const headers = {
        'user-agent': 'longshore',
        'accept-encoding': 'identity',
        ...request.headers,
        ...(authorization !== undefined && { authorization }),
      };
      const sent = { method, url, headers };
      await passage?.again(signal);
      const reply = await sendFollowing(this.#transport, sent, isContentAddressed, signal);
      if (reply.status >= 200 && reply.status < 300) return reply;
      const isOwn = reply.url.host === this.#endpoint.host;
      if (reply.status === 401 && isOwn && answerCount < AUTHORIZATIONS_MAX) {
        reply.discard();
        const challenges = parseChallenges(reply.headers('www-authenticate'));
        authorization = await this.#authorizer.answer(
          repository,
          challenges,
          authorization,
          signal,
        );
        continue;
      }
      const fault = await refusalOf(reply, isOwn, this.options.stallTimeoutMs, signal);
      if (fault.kind !== 'denied') throw fault;
      if (authorization !== undefined && answerCount < AUTHORIZATIONS_MAX) {
        // ECR's answer to a password that has expired.
        const renewed = await this.#authorizer.renewed(repository, authorization, signal);
        if (renewed !== undefined) {
          authorization = renewed;
          continue;
        }
      }
      throw this.#authorizer.denied(fault.facts, fault.message);
    }
  }

  /** What broke the reading of a reply, as a fault where it came from the network. */
  faultOf(reply: HttpReply, error: unknown): unknown {
    const isOfNetwork = error instanceof Error && 'code' in error;
    return isOfNetwork ? this.#transport.faultOf(reply.url.host, error) : error;
  }

  /** Resolves when the next attempt is due. @throws `error` if there shall be none */
  waitForRetry(error: unknown, failureCount: number, signal: AbortSignal): Promise<void> {
    return waitForRetry(error, failureCount, this.options, this.#surroundings, signal);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}

function kindOf({ method, url, download }: ReadRequest): RequestKind {
  if (method === 'HEAD') return 'look';
  if (download !== undefined) return 'download';
  return /\/manifests\/[^/]+$/.test(url.pathname) ? 'pull' : 'list';
}
