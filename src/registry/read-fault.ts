/** What went wrong in one attempt to read from a registry, and the error that it becomes. */

import { type ErrorDetails, LongshoreError, systemCodeOf } from '../errors.ts';
import type { RateNotice } from './rate-notice.ts';

/**
 * `transient`: another attempt may cure it. `missing`: the registry has no such thing. `denied`: it
 * does not hand it out to us.
 */
export type FaultKind = 'transient' | 'missing' | 'denied' | 'final';

export interface FaultFacts {
  readonly httpStatus?: number;
  readonly registryCode?: string;
  readonly systemCode?: string;
  /** How long the registry asks us to stay away. */
  readonly retryAfterMs?: number;
  readonly rate?: RateNotice;
  readonly cause?: unknown;
}

/** Ends one attempt. It leaves the room as a LongshoreError only. */
export class ReadFault extends Error {
  readonly kind: FaultKind;
  readonly remedy: string;
  readonly facts: FaultFacts;

  constructor(kind: FaultKind, text: string, remedy: string, facts: FaultFacts = {}) {
    super(text, facts.cause === undefined ? {} : { cause: facts.cause });
    this.kind = kind;
    this.remedy = remedy;
    this.facts = facts;
  }
}

/** @param source what was to be read, for the message; `registryHost` as in its reference */
export function readFailure(fault: ReadFault, source: string, registryHost: string): Error {
  const { httpStatus, registryCode, systemCode } = fault.facts;
  const details: ErrorDetails['E_SOURCE_REGISTRY'] = {
    source,
    registryHost,
    ...(httpStatus !== undefined && { httpStatus }),
    ...(registryCode !== undefined && { registryCode }),
    ...(systemCode !== undefined && { systemCode }),
  };
  return new LongshoreError(
    fault.kind === 'denied' ? 'E_SOURCE_DENIED' : 'E_SOURCE_REGISTRY',
    `cannot read ${source}: ${fault.message}; ${fault.remedy}`,
    details,
    { cause: fault.facts.cause ?? fault },
  );
}

const REMEDY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'check the name of the registry and the name server',
  EAI_AGAIN: 'the name server did not answer; check the network',
  ECONNREFUSED: 'nothing listens there; check the reference and any proxy',
  EPROTO: 'if the registry speaks plain HTTP, say plainHttp',
  ERR_SSL_WRONG_VERSION_NUMBER: 'if the registry speaks plain HTTP, say plainHttp',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'if the registry speaks plain HTTP, say plainHttp',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP; check the port, and plainHttp',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host; check the reference',
  UND_ERR_PRX_TLS: 'check the proxy and its certificate',
};

const PROXY = 'check the address and the credentials of the proxy';
/** What undici says of a proxy that does not make a tunnel for us. */
const PROXY_REFUSAL = /^Proxy (response \(4[0-9]{2}\)|Authentication Required)/;
const TRUST = 'trust the certificate authority with certificateAuthorities or NODE_EXTRA_CA_CERTS';

/** These do not go away by trying again. */
const FINAL_CODE =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|ERR_SSL_|EPROTO|HPE_|ENOTFOUND|UND_ERR_PRX_TLS)/;

/** For what the network threw. @param host where the connection was to, or came from */
export function networkFault(host: string, thrown: unknown): ReadFault {
  const systemCode = networkCodeOf(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (PROXY_REFUSAL.test(text)) {
    return new ReadFault('final', `the way to ${host} is closed: ${text}`, PROXY, {
      cause: thrown,
    });
  }
  const isFinal = systemCode !== undefined && FINAL_CODE.test(systemCode);
  const untrusted = isFinal && /CERT|SELF_SIGNED|UNABLE_TO/.test(systemCode);
  return new ReadFault(
    isFinal ? 'final' : 'transient',
    `the connection to ${host} failed: ${text === '' ? (systemCode ?? 'no reason given') : text}`,
    REMEDY[systemCode ?? ''] ?? (untrusted ? TRUST : 'check the network and try again'),
    { cause: thrown, ...(systemCode !== undefined && { systemCode }) },
  );
}

/** Node puts the code on the error, or, for several tried addresses, on the errors inside. */
function networkCodeOf(thrown: unknown): string | undefined {
  const code = systemCodeOf(thrown);
  // undici's own code says less than that of the socket beneath.
  const inner: unknown = thrown instanceof AggregateError ? thrown.errors[0] : undefined;
  return code ?? (inner === undefined ? undefined : systemCodeOf(inner));
}

/** Of calls on a client, or a source, that is closed. */
export function clientClosed(): LongshoreError<'E_CLOSED'> {
  return new LongshoreError('E_CLOSED', 'the image source is closed; open it again', {});
}
