/** A registry's door with Bearer tokens: one token a scope, given out by the registry itself. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface SourceLogin {
  readonly username: string;
  readonly password: string;
}

export class BearerDoor {
  readonly #login: SourceLogin | undefined;
  /** Scope by token. */
  readonly #tokens = new Map<string, string>();
  tokenCount = 0;

  /** @param login what a token costs; everybody gets one without it */
  constructor(login: SourceLogin | undefined) {
    this.#login = login;
  }

  /** The body of the token service's reply; `undefined` for a wrong login. */
  give(request: IncomingMessage): string | undefined {
    if (this.#login !== undefined) {
      const { username, password } = this.#login;
      const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      if (request.headers.authorization !== expected) return undefined;
    }
    const token = randomUUID();
    const scope = new URL(request.url ?? '', 'http://token').searchParams.get('scope') ?? '';
    this.#tokens.set(token, scope);
    this.tokenCount += 1;
    return JSON.stringify({ token, expires_in: 300 });
  }

  admits(request: IncomingMessage, scope: string): boolean {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    return this.#tokens.get(token) === scope;
  }
}
