/**
 * One request to the JSON API from its head to its reply, whatever carries it. The HTTP server and the in-process
 * request handler both drive this; the order of the checks is that of AWS's front ends: route,
 * signature, throttle, deserialization, constraints, and then the operation.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { EcrService } from './ecr-service.ts';
import { EcrException, invalidParameter, toException } from './exception.ts';
import { violationOf } from './constraint.ts';
import { noteMembers } from './journal.ts';
import type { OpenEntry } from './journal.ts';
import { callOperation, performOperation } from './operation-call.ts';
import type { CallOutcome } from './operation-call.ts';
import { operationOf } from './operation-name.ts';
import type { OperationName } from './operation-name.ts';
import { exceptionReply, htmlReply, silentReply, spoiledReply, successReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { bodySizeMaxBytes, bodyTooLarge, PartBody, WholeBody } from './request-body.ts';
import type { RequestBody } from './request-body.ts';
import { REQUEST_CONSTRAINTS } from './request-constraints.ts';
import type { HeadVerdict, RequestExchange, RequestHead } from './request-exchange.ts';
import { readSignature } from './signature.ts';
import type { PendingSignature } from './signature.ts';

type Input = Readonly<Record<string, unknown>>;

export class Exchange implements RequestExchange {
  readonly verdict: HeadVerdict;
  readonly operation: OperationName | undefined;
  readonly #service: EcrService;
  readonly #entry: OpenEntry;
  readonly #body: RequestBody;
  readonly #bodyMaxBytes: number;
  #payloadHash: Hash | undefined;
  #signature: PendingSignature | undefined;
  #skewMs = 0;
  #cutAfterBytes = Number.POSITIVE_INFINITY;
  /** The first thing found wrong with the head: answered when the body has been received. */
  #headFailure: EcrException | undefined;
  #bodyFailure: EcrException | undefined;

  constructor(service: EcrService, head: RequestHead) {
    this.#service = service;
    this.operation = routeOf(head);
    this.#entry = service.journal.open({
      face: 'api',
      operation: this.operation,
      connectionId: head.connectionId,
      startedAtMs: service.now(),
    });
    this.#bodyMaxBytes = bodySizeMaxBytes(this.operation);
    const lengthBytes = Number(head.headers['content-length'] ?? 0);
    const isPart = this.operation === 'UploadLayerPart';
    const { keepsContent } = service.registry.store;
    this.#body = isPart
      ? new PartBody(keepsContent, lengthBytes, service.staging)
      : new WholeBody();
    this.verdict = this.#judge(head, lengthBytes);
    this.#headFailure =
      this.operation === undefined ? new EcrException('UnknownOperationException', '') : undefined;
    this.#readSignature(head, isPart && !keepsContent);
  }

  write(chunk: Buffer): undefined {
    this.#entry.bytesReceived += chunk.length;
    this.#payloadHash?.update(chunk);
    if (this.#bodyFailure !== undefined || this.operation === undefined) return;
    if (this.isOverlong) {
      this.#failBody(bodyTooLarge(this.#bodyMaxBytes));
      return;
    }
    try {
      this.#body.write(chunk);
    } catch (error) {
      this.#failBody(toException(error));
    }
  }

  get isCut(): boolean {
    return this.#entry.bytesReceived >= this.#cutAfterBytes;
  }

  get isOverlong(): boolean {
    return this.#entry.bytesReceived > this.#bodyMaxBytes;
  }

  async end(): Promise<Reply> {
    this.#entry.receivedAtMs = this.#service.now();
    let reply: Reply;
    try {
      reply = await this.#carryOut();
    } catch (error) {
      reply = exceptionReply(toException(error), this.#now());
    } finally {
      this.#body.release();
    }
    if (reply.delivery.kind === 'send' || reply.delivery.kind === 'drip') {
      this.#entry.statusCode = reply.statusCode;
      if (reply.exception !== undefined) this.#entry.exception = reply.exception;
    }
    return reply;
  }

  close(): void {
    this.#body.release();
    this.#service.journal.close(this.#entry, this.#service.now());
  }

  #judge(head: RequestHead, lengthBytes: number): HeadVerdict {
    for (const fault of this.#service.faults.strikeHead(this.operation)) {
      if (fault.kind === 'skew-clock') this.#skewMs = fault.skewMs;
      else if (fault.kind === 'reset') return { kind: 'reset' };
      else this.#cutAfterBytes = fault.afterBytes;
    }
    if (lengthBytes > this.#bodyMaxBytes) {
      const reply = exceptionReply(bodyTooLarge(this.#bodyMaxBytes), this.#now());
      this.#entry.statusCode = reply.statusCode;
      if (reply.exception !== undefined) this.#entry.exception = reply.exception;
      return { kind: 'refuse', reply };
    }
    return { kind: 'read' };
  }

  #readSignature(head: RequestHead, believesPayloadHash: boolean): void {
    const { options } = this.#service;
    if (!options.verifySignatures || this.#headFailure !== undefined) return;
    try {
      const { credentials, region } = options;
      this.#signature = readSignature(head, { credentials, region, nowMs: this.#now() });
    } catch (error) {
      this.#headFailure = toException(error);
      return;
    }
    const claimed = this.#signature.claimedPayloadHash;
    if (!believesPayloadHash || claimed === undefined) this.#payloadHash = createHash('sha256');
  }

  #failBody(failure: EcrException): void {
    this.#bodyFailure = failure;
    this.#body.release();
  }

  async #carryOut(): Promise<Reply> {
    const { operation } = this;
    this.#assertGenuine();
    if (operation === undefined) throw new EcrException('UnknownOperationException', '');
    const throttle = this.#service.refusalByQuota(operation);
    if (throttle !== undefined) throw throttle;
    if (this.#bodyFailure !== undefined) throw this.#bodyFailure;
    const input = this.#readInput(operation);
    const outcome = await callOperation(this.#service, operation, input, async () => {
      const { part } = this.#body;
      const output = await performOperation(this.#service, operation, input, part);
      if (operation === 'InitiateLayerUpload') noteMembers(this.#entry, output);
      return output;
    });
    return this.#replyTo(outcome);
  }

  #replyTo({ delivery, garbage, result }: CallOutcome): Reply {
    if (delivery.kind === 'drop' || delivery.kind === 'stall') {
      return silentReply(delivery.kind, this.#now());
    }
    if (garbage?.form === 'html') return htmlReply(garbage.httpStatus ?? 502, this.#now());
    const reply =
      'exception' in result
        ? exceptionReply(result.exception, this.#now())
        : successReply(result.output, this.#now());
    return { ...(garbage === undefined ? reply : spoiledReply(reply, garbage.form)), delivery };
  }

  #assertGenuine(): void {
    if (this.#headFailure !== undefined) throw this.#headFailure;
    if (this.#signature === undefined) return;
    const actual = this.#payloadHash?.digest('hex') ?? this.#signature.claimedPayloadHash ?? '';
    const refusal = this.#signature.refusal(actual);
    if (refusal !== undefined) throw refusal;
  }

  #readInput(operation: OperationName): Input {
    const value = this.#body.end();
    const violation = violationOf(REQUEST_CONSTRAINTS[operation], value);
    if (violation !== undefined) throw violation;
    const input = value as Input;
    noteMembers(this.#entry, input);
    const { part } = this.#body;
    if (part !== undefined && typeof input['layerPartBlob'] !== 'string') {
      throw invalidParameter('layerPartBlob', 'Member must not be null');
    }
    return input;
  }

  #now(): number {
    return this.#service.now() + this.#skewMs;
  }
}

function routeOf(head: RequestHead): OperationName | undefined {
  const contentType = head.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const isRoute = head.method === 'POST' && head.target === '/';
  // Another content type is another protocol to AWS's front end: no such operation (L).
  if (!isRoute || contentType !== 'application/x-amz-json-1.1') return undefined;
  return operationOf(head.headers['x-amz-target']);
}
