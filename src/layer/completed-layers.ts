import type { Digest } from '../digest.ts';

/** Entries kept; the oldest go first. At some 200 bytes each, four megabytes. */
const ENTRIES_MAX = 20_000;

interface Entry {
  readonly sizeBytes: number;
  readonly sequence: number;
}

/** Layers that this uploader has just completed, so that a second image does not send them again. */
export class CompletedLayers {
  readonly #entries = new Map<string, Entry>();
  #sequence = 0;

  /** Taken before ECR is asked what it has: what is completed later it could not tell. */
  get mark(): number {
    return this.#sequence;
  }

  add(repository: string, digest: Digest, sizeBytes: number): void {
    const key = `${repository}@${digest}`;
    this.#sequence += 1;
    this.#entries.delete(key);
    this.#entries.set(key, { sizeBytes, sequence: this.#sequence });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > ENTRIES_MAX && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Its size in bytes, if it was completed after `mark`. */
  sizeOf(repository: string, digest: Digest, mark: number): number | undefined {
    const entry = this.#entries.get(`${repository}@${digest}`);
    return entry !== undefined && entry.sequence > mark ? entry.sizeBytes : undefined;
  }
}
