/**
 * Turns the body of a PATCH or PUT into `UploadLayerPart` calls, one after another, as ECR's docker
 * door does. Memory is bounded: while a part is being taken, the sender is told to pause.
 *
 * Parts have `partSizeBytes`. A rest too small to be a part joins the one before, for a chunk of
 * 32 MiB is known to work (ocync) and a part of 2 MiB in the middle of a layer is known not to (L).
 */

import { PART_SIZE_MIN_BYTES } from '../../limits.ts';
import type { EcrService } from '../ecr-service.ts';
import { performOperation } from '../operation-call.ts';
import type { PartBytes } from '../part-content.ts';
import type { ApiCalls, OpenCall } from './api-calls.ts';
import { Diversion } from './api-calls.ts';
import { joined, RawContent } from './raw-content.ts';

export interface IntakeTarget {
  readonly repositoryName: string;
  readonly uploadId: string;
  /** Where the body says that it starts. */
  readonly firstByte: number;
}

export class LayerIntake {
  readonly #service: EcrService;
  readonly #calls: ApiCalls;
  readonly #target: IntakeTarget;
  /** The part being filled and, when that is full, what comes behind it. */
  #contents: RawContent[] = [];
  #call: OpenCall | undefined;
  #work: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #receivedBytes = 0;
  #nextByte: number;

  constructor(service: EcrService, calls: ApiCalls, target: IntakeTarget) {
    this.#service = service;
    this.#calls = calls;
    this.#target = target;
    this.#nextByte = target.firstByte;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** True once a fault says that the connection breaks here. */
  get isCut(): boolean {
    const reason = this.#failure?.reason;
    if (reason instanceof Diversion && reason.reply.delivery.kind === 'drop') return true;
    const call = this.#call;
    if (call === undefined) return false;
    return call.isReset || (this.#contents[0]?.sizeBytes ?? 0) >= call.cutAfterBytes;
  }

  /** Takes a piece; if a promise comes back, the sender should wait for it. */
  write(chunk: Buffer): Promise<void> | undefined {
    this.#receivedBytes += chunk.length;
    // After a failure the rest is read and dropped, so that the client gets to read the reply.
    if (this.#failure !== undefined || chunk.length === 0) return undefined;
    try {
      this.#fill(chunk);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    this.#call ??= this.#calls.begin('UploadLayerPart');
    this.#call.entry.bytesReceived = this.#contents[0]?.sizeBytes ?? 0;
    if (this.isCut || !this.#isReady) return undefined;
    this.#work ??= this.#drain();
    return this.#work;
  }

  /** Sends what is left. @throws what the first part that failed met */
  async end(): Promise<void> {
    await this.#work;
    if (this.#failure === undefined) await this.#sendRest();
    this.release();
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  /**
   * The client broke off. What has arrived is kept nevertheless: after a broken connection ECR asked
   * for byte 11,304,960, which is no multiple of any part size (apple/containerization#790, H).
   */
  async abandon(): Promise<void> {
    if (this.isCut) this.release();
    else await this.end().catch(() => undefined);
  }

  release(): void {
    for (const content of this.#contents) content.release();
    this.#contents = [];
  }

  get #isReady(): boolean {
    const behind = this.#contents[1]?.sizeBytes ?? 0;
    const { partSizeBytes } = this.#service.options;
    return behind >= Math.min(PART_SIZE_MIN_BYTES, partSizeBytes);
  }

  #fill(chunk: Buffer): void {
    const { options, registry, staging } = this.#service;
    for (let position = 0; position < chunk.length;) {
      let content = this.#contents.at(-1);
      if (content === undefined || content.sizeBytes >= options.partSizeBytes) {
        content = new RawContent(registry.store.keepsContent, staging);
        this.#contents.push(content);
      }
      const room = options.partSizeBytes - content.sizeBytes;
      const piece = chunk.subarray(position, position + room);
      content.write(piece);
      position += piece.length;
    }
  }

  async #drain(): Promise<void> {
    while (this.#isReady && this.#failure === undefined) {
      const content = this.#contents[0];
      if (content === undefined) break;
      await this.#send(content);
      content.release();
      this.#contents.shift();
    }
    this.#work = undefined;
    if (this.#failure === undefined && this.#call === undefined) this.#begin();
  }

  async #sendRest(): Promise<void> {
    const [first, second] = this.#contents;
    if (first === undefined) return;
    const sizeBytes = first.sizeBytes + (second?.sizeBytes ?? 0);
    if (second === undefined) {
      await this.#send(first);
    } else if (sizeBytes <= this.#service.options.partSizeMaxBytes) {
      await this.#send(joined(first, second));
    } else {
      await this.#send(first);
      if (this.#failure === undefined) await this.#send(second);
    }
  }

  #begin(): void {
    this.#call = this.#calls.begin('UploadLayerPart');
    this.#call.entry.bytesReceived = this.#contents[0]?.sizeBytes ?? 0;
  }

  async #send(part: PartBytes): Promise<void> {
    if (this.#call === undefined) this.#begin();
    const call = this.#call;
    if (call === undefined) return;
    const { repositoryName, uploadId } = this.#target;
    const partFirstByte = this.#nextByte;
    const partLastByte = partFirstByte + part.sizeBytes - 1;
    const input = { repositoryName, uploadId, partFirstByte, partLastByte };
    call.entry.bytesReceived = part.sizeBytes;
    try {
      await this.#calls.run(call, input, () =>
        performOperation(this.#service, 'UploadLayerPart', input, part),
      );
      this.#nextByte += part.sizeBytes;
      this.#call = undefined;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.release();
  }
}
