/**
 * One request from its head to its reply, whatever carries it. The HTTP server and the in-process
 * request handler both drive this; the order of the checks is that of AWS's front ends: route,
 * signature, throttle, deserialization, constraints, and then the operation.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { EcrService } from './ecr-service.ts';
import { EcrException, invalidParameter, serverFailure } from './exception.ts';
import type { BodyFault } from './fault-plan.ts';
import { violationOf } from './constraint.ts';
import type { OpenEntry } from './journal.ts';
import { operationOf } from './operation-name.ts';
import type { OperationName } from './operation-name.ts';
import { OPERATIONS } from './operations/operations.ts';
import { throttled } from './quotas.ts';
import { exceptionReply, htmlReply, silentReply, spoiledReply, successReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { bodySizeMaxBytes, bodyTooLarge, PartBody, WholeBody } from './request-body.ts';
import type { RequestBody } from './request-body.ts';
import { REQUEST_CONSTRAINTS } from './request-constraints.ts';
import { readSignature } from './signature.ts';
import type { PendingSignature, SignedHead } from './signature.ts';

export interface RequestHead extends SignedHead {
  readonly connectionId: number;
}

/** What the head alone decides. */
export type HeadVerdict =
  /** Read the body; if given, break the connection after so many bytes of it. */
  | { readonly kind: 'read'; readonly cutAfterBytes?: number }
  | { readonly kind: 'refuse'; readonly reply: Reply }
  | { readonly kind: 'reset' };

type Input = Readonly<Record<string, unknown>>;

export class Exchange {
  readonly verdict: HeadVerdict;
  readonly operation: OperationName | undefined;
  readonly #service: EcrService;
  readonly #entry: OpenEntry;
  readonly #body: RequestBody;
  readonly #bodyMaxBytes: number;
  #payloadHash: Hash | undefined;
  #signature: PendingSignature | undefined;
  #skewMs = 0;
  /** The first thing found wrong with the head: answered when the body has been received. */
  #headFailure: EcrException | undefined;
  #bodyFailure: EcrException | undefined;

  constructor(service: EcrService, head: RequestHead) {
    this.#service = service;
    this.operation = routeOf(head);
    this.#entry = service.journal.open(this.operation, head.connectionId, service.now());
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

  /** Takes the next piece of the body. The buffer must not change afterwards. */
  write(chunk: Buffer): void {
    this.#entry.bytesReceived += chunk.length;
    this.#payloadHash?.update(chunk);
    if (this.#bodyFailure !== undefined || this.operation === undefined) return;
    if (this.#entry.bytesReceived > this.#bodyMaxBytes) {
      this.#failBody(bodyTooLarge(this.#bodyMaxBytes));
      return;
    }
    try {
      this.#body.write(chunk);
    } catch (error) {
      this.#failBody(toException(error));
    }
  }

  /** Body bytes received so far. */
  get bytesReceived(): number {
    return this.#entry.bytesReceived;
  }

  /** True once more body is of no use and the reply can go out with the connection. */
  get isOverlong(): boolean {
    return this.#entry.bytesReceived > this.#bodyMaxBytes;
  }

  /** The whole body has arrived: carries the request out. Never rejects. */
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

  /** The reply has left, or never will. */
  close(): void {
    this.#body.release();
    this.#service.journal.close(this.#entry, this.#service.now());
  }

  #judge(head: RequestHead, lengthBytes: number): HeadVerdict {
    let verdict: HeadVerdict = { kind: 'read' };
    for (const fault of this.#service.faults.strikeHead(this.operation)) {
      if (fault.kind === 'skew-clock') this.#skewMs = fault.skewMs;
      else if (fault.kind === 'reset') return { kind: 'reset' };
      else verdict = { kind: 'read', cutAfterBytes: fault.afterBytes };
    }
    if (lengthBytes > this.#bodyMaxBytes) {
      const reply = exceptionReply(bodyTooLarge(this.#bodyMaxBytes), this.#now());
      this.#entry.statusCode = reply.statusCode;
      if (reply.exception !== undefined) this.#entry.exception = reply.exception;
      return { kind: 'refuse', reply };
    }
    return verdict;
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
    const fault = this.#service.faults.strikeBody(operation, input);
    return fault === undefined
      ? this.#perform(operation, input)
      : this.#performFaulty(operation, input, fault);
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
    this.#note(input);
    const { part } = this.#body;
    if (part !== undefined && typeof input['layerPartBlob'] !== 'string') {
      throw invalidParameter('layerPartBlob', 'Member must not be null');
    }
    return input;
  }

  #note(input: Input): void {
    const { repositoryName, uploadId, partFirstByte, partLastByte } = input;
    if (typeof repositoryName === 'string') this.#entry.repositoryName = repositoryName;
    if (typeof uploadId === 'string') this.#entry.uploadId = uploadId;
    if (typeof partFirstByte === 'number') this.#entry.firstByte = partFirstByte;
    if (typeof partLastByte === 'number') this.#entry.lastByte = partLastByte;
  }

  async #perform(operation: OperationName, input: Input): Promise<Reply> {
    const service = this.#service;
    const serve = (): Promise<void> => service.serve(operation);
    // A part is served in its upload's turn, all else right here.
    if (operation !== 'UploadLayerPart') await serve();
    const output = await OPERATIONS[operation](input, {
      registry: service.registry,
      options: service.options,
      registryHost: service.registryHost,
      now: service.now,
      serve,
      downloadUrl: service.downloadUrl,
      part: this.#body.part,
    });
    if (operation === 'InitiateLayerUpload') this.#note(output);
    return successReply(output, this.#now());
  }

  // The operation's own refusal is a reply like any other: a fault after it still applies.
  async #attempt(operation: OperationName, input: Input): Promise<Reply> {
    try {
      return await this.#perform(operation, input);
    } catch (error) {
      return exceptionReply(toException(error), this.#now());
    }
  }

  async #performFaulty(operation: OperationName, input: Input, fault: BodyFault): Promise<Reply> {
    const service = this.#service;
    switch (fault.kind) {
      case 'fail': {
        if (fault.committed === true) await this.#attempt(operation, input);
        const message = fault.message ?? `${fault.exception} by fault`;
        throw new EcrException(fault.exception, message, fault);
      }
      case 'lose-reply':
        await this.#attempt(operation, input);
        return silentReply('drop', this.#now());
      case 'stall':
        return silentReply('stall', this.#now());
      case 'delay': {
        const reply = await this.#attempt(operation, input);
        await service.waits.wait(fault.delayMs);
        return reply;
      }
      case 'drip': {
        const reply = await this.#attempt(operation, input);
        return { ...reply, delivery: fault };
      }
      case 'garbage':
        if (fault.form === 'html') return htmlReply(fault.httpStatus ?? 502, this.#now());
        return spoiledReply(await this.#attempt(operation, input), fault.form);
      case 'forget-upload': {
        const uploadId = input['uploadId'];
        if (typeof uploadId === 'string') await service.registry.dropUpload(uploadId);
        return this.#perform(operation, input);
      }
      case 'throttle':
        service.throttleFor(operation, fault.durationMs ?? 0);
        throw throttled();
    }
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

function toException(error: unknown): EcrException {
  if (error instanceof EcrException) return error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return serverFailure(`Defect in the emulator: ${text}`);
}
