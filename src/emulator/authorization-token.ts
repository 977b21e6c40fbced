/** Passwords of the docker door: made from the secret and the time, kept nowhere. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { AUTHORIZATION_TOKEN_EXPIRY_MS } from './emulator-limits.ts';

/** ECR takes one user name (user guide, H). */
export const DOCKER_USERNAME = 'AWS';

export interface AuthorizationToken {
  readonly password: string;
  readonly expiresAtMs: number;
}

/** `malformed`: not even something that we could have given out. */
export type AuthorizationVerdict = 'granted' | 'missing' | 'malformed' | 'wrong' | 'expired';

export class AuthorizationTokens {
  readonly #secret: string;
  readonly #registryId: string;

  constructor(secret: string, registryId: string) {
    this.#secret = secret;
    this.#registryId = registryId;
  }

  issue(nowMs: number): AuthorizationToken {
    const expiration = Math.floor((nowMs + AUTHORIZATION_TOKEN_EXPIRY_MS) / 1000);
    // The shape of ECR's own passwords, which are base64 of such a document too (M).
    const document = {
      payload: this.#payload(expiration),
      version: '2',
      type: 'DATA_KEY',
      expiration,
    };
    const password = Buffer.from(JSON.stringify(document)).toString('base64');
    return { password, expiresAtMs: expiration * 1000 };
  }

  /** Judges an `Authorization` header. */
  judge(header: string | undefined, nowMs: number): AuthorizationVerdict {
    const [scheme, encoded] = (header ?? '').trim().split(/ +/, 2);
    if (scheme?.toLowerCase() !== 'basic' || encoded === undefined) return 'missing';
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const document = documentOf(text.slice(colon + 1));
    if (colon === -1 || document === undefined) return 'malformed';
    const { expiration, payload } = document;
    const isOurs = isSame(payload, this.#payload(expiration));
    if (!isOurs || text.slice(0, colon) !== DOCKER_USERNAME) return 'wrong';
    return nowMs < expiration * 1000 ? 'granted' : 'expired';
  }

  #payload(expiration: number): string {
    return createHmac('sha256', this.#secret)
      .update(`authorization-token:${this.#registryId}:${expiration}`)
      .digest('base64');
  }
}

function documentOf(
  password: string,
): { readonly payload: string; readonly expiration: number } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(password, 'base64').toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { expiration, payload } = value as Readonly<Record<string, unknown>>;
    if (typeof payload !== 'string' || typeof expiration !== 'number') return undefined;
    return { payload, expiration };
  } catch {
    return undefined;
  }
}

function isSame(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
