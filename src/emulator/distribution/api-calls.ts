/** The calls of the API that one `/v2` request is translated to: throttled, journalled, struck. */

import { violationOf } from '../constraint.ts';
import type { EcrService } from '../ecr-service.ts';
import { JOURNAL_REQUEST_MAX_CHARACTERS } from '../emulator-limits.ts';
import { noteMembers } from '../journal.ts';
import type { OpenEntry } from '../journal.ts';
import { callOperation, performOperation } from '../operation-call.ts';
import type { GarbageFault } from '../operation-call.ts';
import type { OperationOutput } from '../operation.ts';
import type { OperationName } from '../operation-name.ts';
import { htmlReply, SEND, silentReply } from '../reply.ts';
import type { Delivery, Reply } from '../reply.ts';
import { REQUEST_CONSTRAINTS } from '../request-constraints.ts';
import type { RequestHead } from '../request-exchange.ts';
import { spoiledRegistryReply } from './registry-reply.ts';

/** Thrown where a fault has decided on the reply: nothing else of the request takes place. */
export class Diversion extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super('A fault decides on the reply');
    this.reply = reply;
  }
}

/** A call whose operation is known and whose input is still on its way. */
export interface OpenCall {
  readonly operation: OperationName | undefined;
  readonly entry: OpenEntry;
  readonly isReset: boolean;
  /** The connection breaks when so many bytes of the call's body have been received. */
  readonly cutAfterBytes: number;
}

type Input = Readonly<Record<string, unknown>>;

export class ApiCalls {
  readonly #service: EcrService;
  readonly #connectionId: number;
  readonly #request: string;
  #last: OpenCall | undefined;
  #skewMs = 0;
  #delivery: Delivery = SEND;
  #garbage: GarbageFault | undefined;

  constructor(service: EcrService, { connectionId, method, target }: RequestHead) {
    this.#service = service;
    this.#connectionId = connectionId;
    const path = target.split('?', 1)[0] ?? '';
    this.#request = `${method} ${path}`.slice(0, JOURNAL_REQUEST_MAX_CHARACTERS);
  }

  /** The call that was begun last. */
  get last(): OpenCall | undefined {
    return this.#last;
  }

  /** The server's clock, as a fault may have it. */
  nowMs(): number {
    return this.#service.now() + this.#skewMs;
  }

  /** Opens a call: journalled from now on, struck by the faults that need its head only. */
  begin(operation: OperationName | undefined): OpenCall {
    const { faults, journal } = this.#service;
    this.#closeLast(200);
    const entry = journal.open({
      face: 'v2',
      operation,
      connectionId: this.#connectionId,
      startedAtMs: this.#service.now(),
      request: this.#request,
    });
    let isReset = false;
    let cutAfterBytes = Number.POSITIVE_INFINITY;
    for (const fault of faults.strikeHead(operation)) {
      if (fault.kind === 'skew-clock') this.#skewMs = fault.skewMs;
      else if (fault.kind === 'reset') isReset = true;
      else cutAfterBytes = fault.afterBytes;
    }
    this.#last = { operation, entry, isReset, cutAfterBytes };
    return this.#last;
  }

  /**
   * Carries a call out.
   *
   * @param perform - Instead of the operation's own way.
   * @throws EcrException what the API would answer; {@link Diversion} what a fault wants.
   */
  async run(
    call: OpenCall,
    input: Input,
    perform?: () => Promise<OperationOutput>,
  ): Promise<OperationOutput> {
    const service = this.#service;
    const { entry, operation } = call;
    entry.receivedAtMs = service.now();
    noteMembers(entry, input);
    if (call.isReset) throw this.silence('drop');
    if (operation === undefined) return perform === undefined ? {} : perform();
    const refusal =
      service.refusalByQuota(operation) ?? violationOf(REQUEST_CONSTRAINTS[operation], input);
    if (refusal !== undefined) throw refusal;
    const own = (): Promise<OperationOutput> => performOperation(service, operation, input);
    const { delivery, garbage, result } = await callOperation(
      service,
      operation,
      input,
      perform ?? own,
    );
    if (delivery.kind === 'drop' || delivery.kind === 'stall') throw this.silence(delivery.kind);
    if (garbage?.form === 'html') {
      throw new Diversion(htmlReply(garbage.httpStatus ?? 502, this.nowMs()));
    }
    this.#delivery = delivery;
    this.#garbage = garbage;
    if ('exception' in result) throw result.exception;
    if (operation === 'InitiateLayerUpload') noteMembers(entry, result.output);
    return result.output;
  }

  silence(kind: 'drop' | 'stall'): Diversion {
    return new Diversion(silentReply(kind, this.nowMs()));
  }

  /** The reply as the last call's faults would have it; journalled. */
  finished(reply: Reply): Reply {
    let final = reply;
    if (reply.delivery.kind === 'send') {
      if (this.#garbage !== undefined) final = spoiledRegistryReply(final, this.#garbage.form);
      final = { ...final, delivery: this.#delivery };
    }
    const entry = this.#last?.entry;
    if (entry !== undefined && (final.delivery.kind === 'send' || final.delivery.kind === 'drip')) {
      entry.statusCode = final.statusCode;
      if (final.exception !== undefined) entry.exception = final.exception;
    }
    return final;
  }

  /** The reply has left, or never will. */
  close(): void {
    this.#closeLast();
  }

  #closeLast(statusCode?: number): void {
    const entry = this.#last?.entry;
    if (entry === undefined) return;
    if (statusCode !== undefined) entry.statusCode = statusCode;
    this.#service.journal.close(entry, this.#service.now());
  }
}
