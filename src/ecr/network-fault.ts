/** Failures between us and ECR: names, connections, certificates, silence. */

import { type ErrorDetails, LongshoreError, systemCodeOf } from '../errors.ts';
import { TransmissionError } from '../layer/part-transmitter.ts';
import { RegistryFault } from '../layer/ports.ts';
import type { CallContext } from './call-context.ts';

const REMEDY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'check the region, the endpoint and the name server',
  EAI_AGAIN: 'the name server did not answer; check the network',
  ECONNREFUSED: 'nothing listens there; check the endpoint and any proxy',
  ECONNRESET: 'the connection was closed by the other side',
  EPIPE: 'the connection was closed by the other side',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host; check the endpoint',
};

const TRUST =
  'trust the certificate authority with certificateAuthorities, AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS';

/** Errors of a certificate do not go away by trying again. */
const CERTIFICATE_CODE =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|ERR_SSL_\w*(CERT|UNKNOWN_CA))/;

/** `undefined` if `thrown` is something else. */
export function networkFault(thrown: unknown, context: CallContext): RegistryFault | undefined {
  const details = { operation: context.operation, repository: context.repository };
  const about = `${context.operation} for repository ${context.repository}`;
  if (thrown instanceof TransmissionError) {
    const { kind, message, systemCode, waitedMs } = thrown;
    if (kind === 'timeout') return timeoutFault(about, details, message, waitedMs, thrown);
    if (kind === 'network') return brokenFault(about, details, message, systemCode, thrown);
    // The body is in shared memory: another thread can send it.
    const error = new LongshoreError('E_WORKER_LOST', message, { job: 'transmit' });
    return new RegistryFault(kind === 'worker-lost' ? 'ambiguous' : 'final', error);
  }
  if (!(thrown instanceof Error)) return undefined;
  const systemCode = networkCodeOf(thrown);
  // The SDK's handler calls a reset connection a TimeoutError as well; the code tells.
  if (thrown.name === 'TimeoutError' && (systemCode ?? 'ETIMEDOUT') === 'ETIMEDOUT') {
    return timeoutFault(about, details, thrown.message, context.elapsedMs ?? 0, thrown);
  }
  if (systemCode === undefined) return undefined;
  return brokenFault(about, details, thrown.message, systemCode, thrown);
}

function timeoutFault(
  about: string,
  details: Omit<ErrorDetails['E_TIMEOUT'], 'waitedMs'>,
  text: string,
  waitedMs: number,
  cause: unknown,
): RegistryFault {
  const message = `${about} timed out: ${text}; check the network, or raise the time-outs`;
  return new RegistryFault(
    'ambiguous',
    new LongshoreError('E_TIMEOUT', message, { ...details, waitedMs }, { cause }),
  );
}

function brokenFault(
  about: string,
  details: ErrorDetails['E_NETWORK'],
  text: string,
  systemCode: string | undefined,
  cause: unknown,
): RegistryFault {
  const untrusted = systemCode !== undefined && CERTIFICATE_CODE.test(systemCode);
  const remedy = REMEDY[systemCode ?? ''] ?? (untrusted ? TRUST : 'check the network');
  const error = new LongshoreError(
    'E_NETWORK',
    `${about} failed on the way: ${text}; ${remedy}`,
    { ...details, ...(systemCode !== undefined && { systemCode }) },
    { cause },
  );
  return new RegistryFault(untrusted ? 'final' : 'ambiguous', error);
}

/** Node puts the code on the error, or, for several tried addresses, on the errors inside. */
function networkCodeOf(error: Error): string | undefined {
  const code = systemCodeOf(error);
  if (code !== undefined && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error ? networkCodeOf(inner) : undefined;
}
