/** Bytes of a layer on their way into a part. */

import { SLAB_SIZE_BYTES } from '../emulator-limits.ts';
import type { PartBytes } from '../part-content.ts';
import type { StagingBudget } from '../staging-budget.ts';

const FIRST_SLAB_SIZE_BYTES = 4096;

/** Copies into slabs that grow with what has arrived, not with what is promised. */
export class RawContent implements PartBytes {
  readonly #keepsContent: boolean;
  readonly #budget: StagingBudget;
  readonly #whole: Buffer[] = [];
  #last: Buffer | undefined;
  #lastUsed = 0;
  #sizeBytes = 0;
  #stagedBytes = 0;

  /** @param keepsContent - False: the bytes are counted only. */
  constructor(keepsContent: boolean, budget: StagingBudget) {
    this.#keepsContent = keepsContent;
    this.#budget = budget;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get slabs(): readonly Buffer[] {
    if (this.#last === undefined) return this.#whole;
    return [...this.#whole, this.#last.subarray(0, this.#lastUsed)];
  }

  /** @throws EcrException if too much is in flight already. */
  write(bytes: Buffer): void {
    if (this.#keepsContent) this.#copy(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Gives back the budget; the bytes belong to somebody else now, or to nobody. */
  release(): void {
    this.#budget.give(this.#stagedBytes);
    this.#stagedBytes = 0;
  }

  #copy(bytes: Buffer): void {
    for (let position = 0; position < bytes.length;) {
      if (this.#last === undefined || this.#lastUsed === this.#last.length) this.#grow();
      const slab = this.#last;
      if (slab === undefined) return;
      const copied = bytes.copy(slab, this.#lastUsed, position);
      this.#lastUsed += copied;
      position += copied;
    }
  }

  #grow(): void {
    if (this.#last !== undefined) this.#whole.push(this.#last);
    const grownBytes = this.#whole.reduce((sum, { length }) => sum + length, 0);
    const sizeBytes = Math.min(SLAB_SIZE_BYTES, Math.max(FIRST_SLAB_SIZE_BYTES, grownBytes));
    this.#budget.take(sizeBytes);
    this.#stagedBytes += sizeBytes;
    this.#last = Buffer.allocUnsafeSlow(sizeBytes);
    this.#lastUsed = 0;
  }
}

/** Two contents as one part. */
export function joined(first: PartBytes, second: PartBytes): PartBytes {
  return {
    sizeBytes: first.sizeBytes + second.sizeBytes,
    slabs: [...first.slabs, ...second.slabs],
  };
}
