/** Answers a registry's challenges: with a login, with a token for it, or with a token for anybody. */

import { isDeepStrictEqual } from 'node:util';
import { abortable } from '../abort.ts';
import type { Challenge } from './challenge.ts';
import type { CredentialStore, FoundCredentials } from './credential-store.ts';
import type { StoredCredentials } from './docker-config.ts';
import { loginHostOf } from './endpoint.ts';
import { type FaultFacts, ReadFault } from './read-fault.ts';
import { type Token, TokenCache } from './token-cache.ts';
import { fetchToken, type TokenService } from './token-service.ts';
import type { Transport } from './transport.ts';

export interface AuthorizerContext {
  readonly registry: string;
  readonly endpoint: URL;
  readonly transport: Transport;
  readonly credentials: CredentialStore;
  readonly stallTimeoutMs: number;
  now(): number;
  /** Ends when the client is closed: what several wait for is not ended by one of them. */
  readonly signal: AbortSignal;
}

/** Stands for a repository where the list of all of them is asked for. */
export const CATALOG = '';

/** Repositories whose scope the registry named itself. */
const SCOPES_MAX = 1024;
const UNAUTHORIZED: FaultFacts = { httpStatus: 401 };

export class Authorizer {
  readonly #context: AuthorizerContext;
  readonly #tokens: TokenCache;
  /** The registry's way, once it has said so. */
  #way: 'basic' | TokenService | undefined;
  readonly #scopes = new Map<string, string>();
  #remark = '';
  #renewal: Promise<unknown> | undefined;

  constructor(context: AuthorizerContext) {
    this.#context = context;
    this.#tokens = new TokenCache(() => context.now());
  }

  /** What to send before the registry asks for it; nothing as long as it never asked. */
  async header(repository: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#way === undefined) return undefined;
    return abortable(this.#headerFor(this.#way, repository), signal);
  }

  /**
   * What to send after a 401.
   * @param refused what was sent
   * @throws ReadFault of kind `denied` if there is nothing else to send
   */
  async answer(
    repository: string,
    challenges: readonly Challenge[],
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const way = this.#wayOf(challenges, repository);
    if (way === undefined) throw this.denied(UNAUTHORIZED, schemesOf(challenges));
    this.#way = way;
    const header = await abortable(this.#headerInstead(way, repository, refused), signal);
    if (header === undefined || header === refused) throw this.denied(UNAUTHORIZED);
    return header;
  }

  /** Another login than the refused one, if there is any by now. Tokens are not renewed for a 403. */
  async renewed(
    repository: string,
    refused: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (this.#way !== 'basic') return undefined;
    const header = await abortable(this.#headerInstead('basic', repository, refused), signal);
    return header === refused ? undefined : header;
  }

  /** Says what may help: a login where there was none, another where there was one. */
  denied(facts: FaultFacts, ...problems: readonly string[]): ReadFault {
    const { registry } = this.#context;
    const remarks = [...problems, this.#remark].filter((text) => text !== '');
    return new ReadFault(
      'denied',
      `${registry} does not hand it out (status ${facts.httpStatus})` +
        (remarks.length === 0 ? ', and no credentials were found' : `: ${remarks.join('; ')}`),
      `check the name and who may read it, and log in: docker login${loginHostOf(registry)}`,
      facts,
    );
  }

  #wayOf(challenges: readonly Challenge[], repository: string): 'basic' | TokenService | undefined {
    for (const { scheme, parameters } of challenges) {
      const realm = parameters.get('realm') ?? '';
      if (scheme !== 'bearer' || !URL.canParse(realm)) continue;
      const scope = parameters.get('scope');
      if (scope !== undefined) this.#noteScope(repository, scope);
      return { realm: new URL(realm), service: parameters.get('service') };
    }
    return challenges.some(({ scheme }) => scheme === 'basic') ? 'basic' : undefined;
  }

  async #headerFor(way: 'basic' | TokenService, repository: string): Promise<string | undefined> {
    if (way !== 'basic') {
      const scope = this.#scopeOf(repository);
      const token = await this.#tokens.get(keyOf(way, scope), () =>
        this.#fetch(way, scope, repository),
      );
      return `Bearer ${token}`;
    }
    const { stored } = await this.#find(repository);
    if (stored === undefined || !('username' in stored)) return undefined;
    const pair = `${stored.username}:${stored.password}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  async #fetch(service: TokenService, scope: string, repository: string): Promise<Token> {
    const { transport, endpoint, stallTimeoutMs, signal } = this.#context;
    const ask = async (stored: StoredCredentials | undefined): Promise<Token | number> =>
      fetchToken(transport, { service, scope, stored, endpoint }, stallTimeoutMs, signal);
    const { stored } = await this.#find(repository);
    let token = await ask(stored);
    if (typeof token === 'number' && stored !== undefined) {
      // The password may have been renewed since it was read.
      this.#context.credentials.forget();
      const { stored: again } = await this.#find(repository);
      if (!isDeepStrictEqual(again, stored)) token = await ask(again);
    }
    if (typeof token === 'number') throw this.denied({ httpStatus: token });
    return token;
  }

  async #find(repository: string): Promise<FoundCredentials> {
    const found = await this.#context.credentials.find(repository);
    const { stored, remark } = found;
    this.#remark = stored === undefined ? remark : `the login is from ${remark}`;
    return found;
  }

  /** Another one than the refused, if there is another. Many may ask at once; it is renewed once. */
  async #headerInstead(
    way: 'basic' | TokenService,
    repository: string,
    refused: string | undefined,
  ): Promise<string | undefined> {
    if (way !== 'basic') {
      const value = refused?.replace(/^Bearer /, '') ?? '';
      await this.#tokens.drop(keyOf(way, this.#scopeOf(repository)), value);
      return this.#headerFor(way, repository);
    }
    const current = await this.#headerFor(way, repository);
    if (current !== refused || current === undefined) return current;
    if (this.#renewal === undefined) {
      this.#context.credentials.forget();
      this.#renewal = this.#headerFor(way, repository).finally(() => {
        this.#renewal = undefined;
      });
    }
    await this.#renewal;
    return this.#headerFor(way, repository);
  }

  #scopeOf(repository: string): string {
    const usual = repository === CATALOG ? 'registry:catalog:*' : `repository:${repository}:pull`;
    return this.#scopes.get(repository) ?? usual;
  }

  #noteScope(repository: string, scope: string): void {
    if (this.#scopes.size >= SCOPES_MAX) this.#scopes.clear();
    this.#scopes.set(repository, scope);
  }
}

function keyOf({ realm, service }: TokenService, scope: string): string {
  return `${realm.href}\n${service ?? ''}\n${scope}`;
}

function schemesOf(challenges: readonly Challenge[]): string {
  const schemes = challenges.map(({ scheme }) => scheme).join(', ');
  return schemes === '' ? '' : `it asks for a login of another kind (${schemes.slice(0, 100)})`;
}
