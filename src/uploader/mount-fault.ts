/** What a failed mount means, in the terms of ECR's calls. */

import type { Digest } from '../digest.ts';
import { type ErrorCode, type ErrorDetails, LongshoreError } from '../errors.ts';
import { type FaultKind, RegistryFault } from '../layer/ports.ts';
import type { ReadFault } from '../registry/read-fault.ts';

export interface MountAttempt {
  readonly repository: string;
  readonly from: string;
  readonly digest: Digest;
  readonly elapsedMs: number;
}

const TIMEOUT_CODE = /^(ETIMEDOUT|UND_ERR_(HEADERS|CONNECT|BODY)_TIMEOUT)$/;

export function mountFault(
  { kind, facts, message, remedy }: ReadFault,
  { repository, from, digest, elapsedMs }: MountAttempt,
): RegistryFault {
  const { httpStatus, registryCode, systemCode, retryAfterMs, cause } = facts;
  const [faultKind, code] = meaningOf(kind, httpStatus, systemCode);
  const details: object = {
    // What ECR counts and allows it as (user guide, H).
    operation: 'InitiateLayerUpload',
    repository,
    ...(registryCode !== undefined && { exception: registryCode }),
    ...(httpStatus !== undefined && { httpStatus }),
    ...(code === 'E_NETWORK' && systemCode !== undefined && { systemCode }),
    ...(code === 'E_TIMEOUT' && { waitedMs: elapsedMs }),
    ...(code === 'E_REGISTRY_PROTOCOL' && { expected: digest, received: 'another digest' }),
  };
  const error = new LongshoreError(
    code,
    `cannot mount ${digest} from ${from} into ${repository}: ${message}; ${remedy}`,
    details as ErrorDetails[typeof code],
    { cause },
  );
  return new RegistryFault(faultKind, error, retryAfterMs === undefined ? {} : { retryAfterMs });
}

type MountCode = Extract<
  ErrorCode,
  | 'E_THROTTLED'
  | 'E_REGISTRY_FAULT'
  | 'E_REGISTRY_PROTOCOL'
  | 'E_CREDENTIALS'
  | 'E_REQUEST_INVALID'
  | 'E_NETWORK'
  | 'E_TIMEOUT'
>;

function meaningOf(
  kind: ReadFault['kind'],
  status: number | undefined,
  systemCode: string | undefined,
): readonly [FaultKind, MountCode] {
  const isTransient = kind === 'transient';
  if (status === undefined) {
    const isTimeout = systemCode !== undefined && TIMEOUT_CODE.test(systemCode);
    return [isTransient ? 'ambiguous' : 'final', isTimeout ? 'E_TIMEOUT' : 'E_NETWORK'];
  }
  if (status === 429) return ['throttled', 'E_THROTTLED'];
  if (status < 300) return ['final', 'E_REGISTRY_PROTOCOL'];
  if (status === 407) return ['final', 'E_NETWORK'];
  if (kind === 'denied') return ['final', 'E_CREDENTIALS'];
  if (isTransient || status >= 500)
    return [isTransient ? 'ambiguous' : 'final', 'E_REGISTRY_FAULT'];
  return ['final', 'E_REQUEST_INVALID'];
}
