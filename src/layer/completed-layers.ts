import type { Digest } from '../digest.ts';

/** Entries kept; the oldest go first. At some 200 bytes each, four megabytes. */
const ENTRIES_MAX = 20_000;

/** Layers that this uploader has just completed, so that a second image does not send them again. */
export class CompletedLayers {
  readonly #entries = new Map<string, number>();

  add(repository: string, digest: Digest, sizeBytes: number): void {
    const key = `${repository}@${digest}`;
    this.#entries.delete(key);
    this.#entries.set(key, sizeBytes);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > ENTRIES_MAX && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Its size in bytes, if it is one of them. */
  sizeOf(repository: string, digest: Digest): number | undefined {
    return this.#entries.get(`${repository}@${digest}`);
  }
}
