/** Bearer tokens, each fetched once for all who need it, until it expires. */

export interface Token {
  readonly value: string;
  readonly lifetimeMs: number;
}

/** Scopes, that is repositories, read by one client at once; the oldest is forgotten. */
const TOKENS_MAX = 1024;
/** A token is not used in its last tenth, nor in its last ten seconds: a request takes a while. */
const MARGIN_SHARE = 0.1;
const MARGIN_MS_MAX = 10_000;

interface Entry {
  readonly token: Promise<Token>;
  /** Until the token is there, everybody waits for it. */
  expiresAtMs: number;
}

export class TokenCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param fetch is called for one of those who ask at the same time; its failure is theirs, and not kept */
  async get(key: string, fetch: () => Promise<Token>): Promise<string> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAtMs > this.#now()) return (await known.token).value;
    const askedAtMs = this.#now();
    const entry: Entry = { token: fetch(), expiresAtMs: Number.POSITIVE_INFINITY };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#trim();
    try {
      const { value, lifetimeMs } = await entry.token;
      const marginMs = Math.min(lifetimeMs * MARGIN_SHARE, MARGIN_MS_MAX);
      entry.expiresAtMs = askedAtMs + lifetimeMs - marginMs;
      return value;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** The registry refused it. Not if a newer one is there by now. */
  async drop(key: string, value: string): Promise<void> {
    const entry = this.#entries.get(key);
    const token = await entry?.token.catch(() => undefined);
    if (token?.value === value && this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #trim(): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > TOKENS_MAX && oldest !== undefined) this.#entries.delete(oldest);
  }
}
