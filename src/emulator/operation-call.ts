/** One call of an operation with the faults that strike it, for either face of the emulator. */

import type { EcrService } from './ecr-service.ts';
import { EcrException, toException } from './exception.ts';
import type { BodyFault } from './fault-plan.ts';
import type { OperationOutput } from './operation.ts';
import type { OperationName } from './operation-name.ts';
import { OPERATIONS } from './operations/operations.ts';
import type { PartBytes } from './part-content.ts';
import { throttled } from './quotas.ts';
import { SEND } from './reply.ts';
import type { Delivery } from './reply.ts';

export type GarbageFault = Extract<BodyFault, { kind: 'garbage' }>;

/** What became of a call, and what its caller gets to see of that. */
export interface CallOutcome {
  readonly result: { readonly output: OperationOutput } | { readonly exception: EcrException };
  readonly delivery: Delivery;
  /** How the reply is to be spoiled. */
  readonly garbage?: GarbageFault;
}

type Input = Readonly<Record<string, unknown>>;

/** Carries out an operation whose input has been checked. @throws EcrException its refusal */
export async function performOperation(
  service: EcrService,
  operation: OperationName,
  input: Input,
  part?: PartBytes,
): Promise<OperationOutput> {
  const serve = (): Promise<void> => service.serve(operation);
  // A part is served in its upload's turn, all else right here.
  if (operation !== 'UploadLayerPart') await serve();
  return OPERATIONS[operation](input, {
    registry: service.registry,
    options: service.options,
    registryHost: service.registryHost,
    now: service.now,
    serve,
    downloadUrl: service.downloadUrl,
    tokens: service.tokens,
    part,
  });
}

/** Performs a call, or what a fault makes of it. Never rejects. */
export async function callOperation(
  service: EcrService,
  operation: OperationName,
  input: Input,
  perform: () => Promise<OperationOutput>,
): Promise<CallOutcome> {
  const fault = service.faults.strikeBody(operation, input);
  if (fault === undefined) return attempt(perform);
  switch (fault.kind) {
    case 'fail': {
      if (fault.committed === true) await attempt(perform);
      const message = fault.message ?? `${fault.exception} by fault`;
      return refused(new EcrException(fault.exception, message, fault));
    }
    case 'lose-reply':
      return { ...(await attempt(perform)), delivery: { kind: 'drop' } };
    case 'stall':
      return { result: { output: {} }, delivery: { kind: 'stall' } };
    case 'delay': {
      const outcome = await attempt(perform);
      await service.waits.wait(fault.delayMs);
      return outcome;
    }
    case 'drip':
      return { ...(await attempt(perform)), delivery: fault };
    case 'garbage': {
      const isAway = fault.form === 'html';
      const outcome = isAway ? refused(new EcrException('html', '')) : await attempt(perform);
      return { ...outcome, garbage: fault };
    }
    case 'forget-upload': {
      const uploadId = input['uploadId'];
      if (typeof uploadId === 'string') await service.registry.dropUpload(uploadId);
      return attempt(perform);
    }
    case 'throttle':
      service.throttleFor(operation, fault.durationMs ?? 0);
      return refused(throttled());
  }
}

// The operation's own refusal is a reply like any other: a fault after it still applies.
async function attempt(perform: () => Promise<OperationOutput>): Promise<CallOutcome> {
  try {
    return { result: { output: await perform() }, delivery: SEND };
  } catch (error) {
    return refused(toException(error));
  }
}

function refused(exception: EcrException): CallOutcome {
  return { result: { exception }, delivery: SEND };
}
