/** What a run has to move, and how each layer of it ended. */

import type { Digest, PlannedBlob } from '../../index.ts';

/** A layer that was asked for. */
export interface ExpectedLayer {
  readonly label: string;
  /** `undefined` for a stream, or a file that cannot be looked at. */
  readonly sizeBytes: number | undefined;
}

export type LayerEnd = 'uploaded' | 'present' | 'foreign' | 'verified' | 'failed' | 'left out';

export interface LedgerEntry extends ExpectedLayer {
  /** Its digest where a plan told it, else its label. Two may have the same label. */
  readonly key: string;
  readonly end: LayerEnd | undefined;
}

interface OpenEntry extends LedgerEntry {
  sizeBytes: number | undefined;
  end: LayerEnd | undefined;
}

/** Enough to tell the layers of an image apart, and short enough for a row. */
const DIGEST_LABEL_LENGTH = 12;

export function digestLabel(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + DIGEST_LABEL_LENGTH);
}

export class LayerLedger {
  readonly #entries = new Map<string, OpenEntry[]>();
  readonly #counts = new Map<LayerEnd, number>();
  #count = 0;
  #expectedBytes = 0;
  #unknownCount = 0;
  #finishedBytes = 0;
  #sentBytes = 0;
  #skippedBytes = 0;

  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()].flat();
  }

  /** Of all that was asked for. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that have to travel; `undefined` while a stream's end is to come. */
  get expectedBytes(): number | undefined {
    return this.#unknownCount > 0 ? undefined : this.#expectedBytes;
  }

  /** Of `expectedBytes`; those of layers that turned out to be there included. */
  get finishedBytes(): number {
    return this.#finishedBytes;
  }

  /** That went over the wire for layers that ended well. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Of layers that a plan left where they are. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  countOf(...ends: readonly LayerEnd[]): number {
    return ends.reduce((sum, end) => sum + (this.#counts.get(end) ?? 0), 0);
  }

  get endedCount(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** What a planned layer is called in a row. */
  labelOf(digest: Digest | undefined): string | undefined {
    return digest !== undefined && this.has(digest) ? digestLabel(digest) : undefined;
  }

  expectLayers(layers: readonly ExpectedLayer[]): void {
    for (const { label, sizeBytes } of layers) {
      this.#count += 1;
      if (sizeBytes === undefined) this.#unknownCount += 1;
      else this.#expectedBytes += sizeBytes;
      this.#add({ key: label, label, sizeBytes, end: undefined });
    }
  }

  expectBlobs(blobs: readonly PlannedBlob[]): void {
    for (const { digest, sizeBytes, action, reason } of blobs) {
      this.#count += 1;
      const end = reason === 'foreign' ? 'foreign' : 'present';
      if (action === 'upload') this.#expectedBytes += sizeBytes;
      else {
        this.#skippedBytes += sizeBytes;
        this.#tally(end);
      }
      this.#add({
        key: digest,
        label: digestLabel(digest),
        sizeBytes,
        end: action === 'upload' ? undefined : end,
      });
    }
  }

  /** Layers of which nothing is known but how many they are. */
  expectNameless(count: number, sizeBytes: number): void {
    this.#count += count;
    this.#expectedBytes += sizeBytes;
  }

  settleNameless(end: LayerEnd, sizeBytes: number): void {
    this.#tally(end);
    this.#finishedBytes += sizeBytes;
    this.#sentBytes += sizeBytes;
  }

  /**
   * Replaces what was expected of a layer by what it came to.
   * @param sizeBytes 0 for one that did not end well
   */
  settle(key: string, end: LayerEnd, sizeBytes: number, sentBytes: number): void {
    this.#sentBytes += sentBytes;
    // One that ended before was sent again, because ECR did not see it.
    const entry = this.#entries.get(key)?.find((one) => one.end === undefined);
    if (entry === undefined) return;
    if (entry.sizeBytes === undefined) this.#unknownCount -= 1;
    this.#expectedBytes += sizeBytes - (entry.sizeBytes ?? 0);
    this.#finishedBytes += sizeBytes;
    if (sizeBytes > 0) entry.sizeBytes = sizeBytes;
    entry.end = end;
    this.#tally(end);
  }

  #add(entry: OpenEntry): void {
    const same = this.#entries.get(entry.key);
    if (same === undefined) this.#entries.set(entry.key, [entry]);
    else same.push(entry);
  }

  #tally(end: LayerEnd): void {
    this.#counts.set(end, (this.#counts.get(end) ?? 0) + 1);
  }
}
