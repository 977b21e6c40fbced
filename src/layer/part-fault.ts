/** What a part's failed attempts come to. */

import { LongshoreError } from '../errors.ts';
import type { LivePart } from './live-part.ts';
import { readPhase } from './part-phase.ts';
import { type PreparedPart, RegistryFault, type UploadTarget } from './ports.ts';
import type { WaitingFor } from './stall-watch.ts';

/** The fault of the last attempt; where there was none, the reply named another byte. */
export function partFault(part: LivePart, target: UploadTarget): RegistryFault {
  return part.lastFault ?? otherByte(part.prepared, target);
}

/** What the last attempt was given up for waiting for, and how long it had waited. */
export function stallOf(
  part: LivePart,
): { readonly waitingFor: WaitingFor; readonly waitedMs: number } | undefined {
  const error = part.lastFault?.error;
  if (!LongshoreError.is(error, 'E_TIMEOUT')) return undefined;
  return { waitingFor: readPhase(part.prepared.shared), waitedMs: error.details.waitedMs };
}

/** It proves nothing: the next attempt's answer will tell. */
export function otherByte(
  { endByte }: Pick<PreparedPart, 'endByte'>,
  { repository }: UploadTarget,
): RegistryFault {
  const error = new LongshoreError(
    'E_REGISTRY_PROTOCOL',
    'ECR keeps answering UploadLayerPart with a lastByteReceived that is not the last byte sent',
    {
      operation: 'UploadLayerPart',
      repository,
      expected: `lastByteReceived ${endByte - 1}`,
      received: 'another byte',
    },
  );
  return new RegistryFault('ambiguous', error);
}
