/** Gets a Bearer token from where a registry says (Docker's token and OAuth2 specifications). */

import { readWhole } from './body-reader.ts';
import type { StoredCredentials } from './docker-config.ts';
import { ReadFault } from './read-fault.ts';
import { sendFollowing } from './redirect.ts';
import { refusalOf } from './refusal.ts';
import type { Token } from './token-cache.ts';
import type { HttpRequest, Transport } from './transport.ts';

export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
}

export interface TokenRequest {
  readonly service: TokenService;
  /** One or several, with spaces between. */
  readonly scope: string;
  readonly stored: StoredCredentials | undefined;
  /** The registry's own. */
  readonly endpoint: URL;
}

/** Tokens are a few kilobytes, with those of the largest issuers under 64 KiB. */
const REPLY_BYTES_MAX = 256 * 1024;
/** By the specification, of a token that does not say. */
const LIFETIME_MS_DEFAULT = 60_000;
const LIFETIME_MS_MAX = 24 * 3_600_000;
/** Nothing else may stand in a header. */
const TOKEN_TEXT = /^[\x21-\x7e]+$/;

/**
 * @returns a token, or the status with which one was denied
 * @throws ReadFault
 */
export async function fetchToken(
  transport: Transport,
  request: TokenRequest,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<Token | number> {
  const reply = await sendFollowing(transport, httpRequestOf(request), false, signal);
  const { status, url } = reply;
  if (status !== 200) {
    const fault = await refusalOf(reply, true, stallTimeoutMs, signal);
    // 400 is how OAuth2 says that a login is not good.
    const isDenied = fault.kind === 'denied' || (status === 400 && request.stored !== undefined);
    if (isDenied) return status;
    throw fault.kind === 'missing' ? unusable(url.host, 'answered 404') : fault;
  }
  const body = await readWhole(reply, REPLY_BYTES_MAX, stallTimeoutMs, signal);
  if (body === undefined) throw unusable(url.host, `sent more than ${REPLY_BYTES_MAX} bytes`);
  return tokenIn(body, url.host);
}

function httpRequestOf({ service, scope, stored, endpoint }: TokenRequest): HttpRequest {
  const url = new URL(service.realm);
  url.username = '';
  url.password = '';
  url.hash = '';
  const isPlain = url.protocol !== 'https:';
  if (url.protocol !== 'http:' && isPlain) throw unusable(url.host, `is given as ${url.protocol}`);
  if (isPlain && endpoint.protocol === 'https:') {
    throw unusable(url.host, 'is to be asked over plain HTTP, though the registry uses TLS');
  }
  const fields = new URLSearchParams();
  if (service.service !== undefined) fields.set('service', service.service);
  const headers = { accept: 'application/json', 'user-agent': 'longshore' };
  if (stored !== undefined && 'identityToken' in stored) {
    fields.set('grant_type', 'refresh_token');
    fields.set('client_id', 'longshore');
    fields.set('scope', scope);
    fields.set('refresh_token', stored.identityToken);
    return {
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: fields.toString(),
    };
  }
  for (const [name, value] of fields) url.searchParams.set(name, value);
  for (const part of scope.split(' ')) {
    if (part !== '') url.searchParams.append('scope', part);
  }
  if (stored === undefined) return { method: 'GET', url, headers };
  const pair = Buffer.from(`${stored.username}:${stored.password}`).toString('base64');
  return { method: 'GET', url, headers: { ...headers, authorization: `Basic ${pair}` } };
}

function tokenIn(body: Buffer, host: string): Token {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser would quote it.
    throw unusable(host, 'answered what is not JSON');
  }
  const { token, access_token, expires_in } = Object(document) as Readonly<Record<string, unknown>>;
  const value = typeof token === 'string' && token !== '' ? token : access_token;
  if (typeof value !== 'string' || !TOKEN_TEXT.test(value)) {
    throw unusable(host, 'answered without a token');
  }
  const lifetimeMs =
    typeof expires_in === 'number' && expires_in > 0 ? expires_in * 1000 : LIFETIME_MS_DEFAULT;
  return { value, lifetimeMs: Math.min(lifetimeMs, LIFETIME_MS_MAX) };
}

function unusable(host: string, problem: string): ReadFault {
  return new ReadFault(
    'final',
    `the registry sends us to ${host} for a token, which ${problem}`,
    'its operator must mend that',
  );
}
