/** One request to `/v2/` from its head to its reply. */

import type { EcrService } from '../ecr-service.ts';
import { BODY_SIZE_MAX_BYTES, UNTRUSTED_BODY_MAX_BYTES } from '../emulator-limits.ts';
import { toException } from '../exception.ts';
import type { EcrException } from '../exception.ts';
import { noteMembers } from '../journal.ts';
import type { Reply } from '../reply.ts';
import { silentReply } from '../reply.ts';
import type { HeadVerdict, RequestExchange, RequestHead } from '../request-exchange.ts';
import { ApiCalls, Diversion } from './api-calls.ts';
import { refusalOfAccess } from './access.ts';
import { claimedRangeOf } from './claimed-range.ts';
import type { ClaimedRange } from './claimed-range.ts';
import { answerTo } from './endpoint.ts';
import { LayerIntake } from './layer-intake.ts';
import { RegistryFailure, translated } from './registry-failure.ts';
import { failureReply, registryReply } from './registry-reply.ts';
import { ensureRepository } from './missing-repository.ts';
import type { RequestContext } from './request-context.ts';
import { digestOf, routeOf } from './route.ts';
import type { Route } from './route.ts';

export class DistributionExchange implements RequestExchange {
  readonly verdict: HeadVerdict;
  readonly #service: EcrService;
  readonly #head: RequestHead;
  readonly #calls: ApiCalls;
  readonly #chunks: Buffer[] = [];
  #bodyMaxBytes = UNTRUSTED_BODY_MAX_BYTES;
  #receivedBytes = 0;
  #hasEnded = false;
  #route: Route | undefined;
  #intake: LayerIntake | undefined;
  #range: ClaimedRange | undefined;
  /** The first thing found wrong with the head: answered when the body has been received. */
  #headFailure: unknown;

  constructor(service: EcrService, head: RequestHead) {
    this.#service = service;
    this.#head = head;
    this.#calls = new ApiCalls(service, head);
    try {
      this.#readHead();
    } catch (error) {
      this.#headFailure = error;
    }
    this.verdict = this.#judge();
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#receivedBytes += chunk.length;
    const entry = this.#calls.last?.entry;
    if (this.#intake !== undefined) return this.#intake.write(chunk);
    if (entry !== undefined) entry.bytesReceived = this.#receivedBytes;
    const isWanted = this.#headFailure === undefined && this.#route?.method === 'PUT';
    if (isWanted && !this.isOverlong) this.#chunks.push(chunk);
    return undefined;
  }

  get isOverlong(): boolean {
    return this.#receivedBytes > this.#bodyMaxBytes;
  }

  get isCut(): boolean {
    if (this.#intake !== undefined) return this.#intake.isCut;
    const cutAfterBytes = this.#calls.last?.cutAfterBytes ?? Number.POSITIVE_INFINITY;
    return this.#receivedBytes >= cutAfterBytes;
  }

  async end(): Promise<Reply> {
    this.#hasEnded = true;
    let reply: Reply;
    try {
      reply = await this.#carryOut();
    } catch (error) {
      reply = this.#refusal(error);
    }
    return this.#calls.finished(reply);
  }

  close(): void {
    if (this.#hasEnded || this.#intake === undefined) {
      this.#calls.close();
      return;
    }
    this.#hasEnded = true;
    if (this.#service.waits.isStopped) this.#intake.release();
    else void this.#intake.abandon().finally(() => this.#calls.close());
  }

  #readHead(): void {
    const { headers, method, target } = this.#head;
    const found = routeOf(method, target);
    const route = found instanceof RegistryFailure ? undefined : found;
    this.#route = route;
    const { endpoint } = route ?? {};
    const isIntake = endpoint?.kind === 'upload' && (method === 'PATCH' || method === 'PUT');
    // The calls of an upload begin with the bytes they carry.
    if (!isIntake) noteMembers(this.#calls.begin(route?.operation).entry, { ...endpoint });
    // Nobody learns without a password even that a path is none.
    const refusal = refusalOfAccess(this.#service, headers['authorization'], {
      nowMs: this.#calls.nowMs(),
      origin: this.#origin,
    });
    if (refusal !== undefined) throw refusal;
    this.#bodyMaxBytes = BODY_SIZE_MAX_BYTES;
    if (found instanceof RegistryFailure) throw found;
    // What is not wanted is read and dropped: a monolithic POST, for example.
    if (endpoint?.kind === 'upload-start') this.#bodyMaxBytes = Number.POSITIVE_INFINITY;
    if (!isIntake) return;
    this.#bodyMaxBytes = Number.POSITIVE_INFINITY;
    if (method === 'PUT') digestOf(found.query.get('digest'));
    this.#range = claimedRangeOf(headers);
    this.#intake = new LayerIntake(this.#service, this.#calls, {
      ...endpoint,
      firstByte: this.#range?.firstByte ?? 0,
    });
  }

  #judge(): HeadVerdict {
    const { headers } = this.#head;
    if (this.#calls.last?.isReset === true) return { kind: 'reset' };
    const lengthBytes = Number(headers['content-length'] ?? 0);
    if (lengthBytes <= this.#bodyMaxBytes) return { kind: 'read' };
    const reason = this.#headFailure ?? tooLarge(this.#bodyMaxBytes);
    return { kind: 'refuse', reply: this.#calls.finished(this.#refusal(reason)) };
  }

  async #carryOut(): Promise<Reply> {
    if (this.#headFailure !== undefined) throw this.#headFailure;
    if (this.isOverlong) throw tooLarge(this.#bodyMaxBytes);
    const route = this.#route;
    if (route === undefined) throw new Error('A request without a route');
    await this.#intake?.end();
    this.#range?.assertSize(this.#receivedBytes);
    await ensureRepository(this.#service, route);
    const context: RequestContext = {
      service: this.#service,
      calls: this.#calls,
      query: route.query,
      origin: this.#origin,
    };
    const answer = await answerTo(context, route, {
      bytes: Buffer.concat(this.#chunks),
      contentType: this.#head.headers['content-type'],
    });
    return registryReply(answer, this.#calls.nowMs());
  }

  #refusal(error: unknown): Reply {
    if (error instanceof Diversion) return error.reply;
    // A request that came to nothing before its first call is on record too.
    const { operation } = this.#calls.last ?? this.#calls.begin(this.#route?.operation);
    const nowMs = this.#calls.nowMs();
    if (error instanceof RegistryFailure) return failureReply(error, nowMs);
    const exception = toException(error);
    const isPush = operation === 'InitiateLayerUpload' || operation === 'PutImage';
    const { missingRepository } = this.#service.options;
    if (isPush && missingRepository === 'drop' && isMissingRepository(exception)) {
      return silentReply('drop', nowMs);
    }
    return failureReply(translated(exception, operation), nowMs);
  }

  // The name by which the client knows us: the reply must not lead around a proxy in between.
  get #origin(): string {
    const { options, registryHost } = this.#service;
    const host = this.#head.headers['host'] ?? '';
    const isSound = /^[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:]+\](?::\d{1,5})?$/i.test(host);
    const scheme = options.tls === undefined ? 'http' : 'https';
    return `${scheme}://${isSound ? host : registryHost}`;
  }
}

function isMissingRepository(exception: EcrException): boolean {
  return exception.name === 'RepositoryNotFoundException';
}

function tooLarge(limitBytes: number): RegistryFailure {
  return new RegistryFailure(
    413,
    'SIZE_INVALID',
    `The request body is larger than ${limitBytes} bytes`,
  );
}
