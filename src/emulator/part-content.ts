/** The decoded bytes of one part while nobody knows yet which part it is. */

import { Base64Decoder } from './base64-decoder.ts';
import { SLAB_SIZE_BYTES } from './emulator-limits.ts';

/** The bytes of a part, whichever way they came. */
export interface PartBytes {
  readonly sizeBytes: number;
  /** In order; empty for content that is only counted. */
  readonly slabs: readonly Buffer[];
}

/** Takes the base64 characters of `layerPartBlob` as they arrive. */
export interface PartContent extends PartBytes {
  /** Characters `[start, end)` of `chunk`. */
  write(chunk: Buffer, start: number, end: number): void;
  /** Tells whether the text was sound base64. */
  end(): boolean;
}

/** Decodes into slabs of at most 1 MiB, so memory follows what has arrived, not what is promised. */
export class DecodedContent implements PartContent {
  readonly #slabs: Buffer[] = [];
  readonly #decoder: Base64Decoder;
  readonly #onGrow: (sizeBytes: number) => void;
  #last: Buffer | undefined;
  #lastUsed = 0;
  #remainingHint: number;
  #sizeBytes = 0;

  /**
   * @param sizeHintBytes - Expected decoded size; only shapes the slabs.
   * @param onGrow - Told of each slab before it is allocated; may throw to refuse it.
   */
  constructor(sizeHintBytes: number, onGrow: (sizeBytes: number) => void) {
    this.#remainingHint = sizeHintBytes;
    this.#onGrow = onGrow;
    this.#decoder = new Base64Decoder({
      room: () => this.#room(),
      commit: (sizeBytes) => {
        this.#lastUsed += sizeBytes;
        this.#sizeBytes += sizeBytes;
      },
    });
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get slabs(): readonly Buffer[] {
    if (this.#last === undefined) return this.#slabs;
    return [...this.#slabs, this.#last.subarray(0, this.#lastUsed)];
  }

  write(chunk: Buffer, start: number, end: number): void {
    this.#decoder.write(chunk, start, end);
  }

  end(): boolean {
    return this.#decoder.end();
  }

  #room(): { readonly buffer: Buffer; readonly offset: number } {
    if (this.#last === undefined || this.#lastUsed === this.#last.length) {
      if (this.#last !== undefined) this.#slabs.push(this.#last);
      // At least 3 bytes past the hint: a hint one short must not cost a slab per byte.
      const sizeBytes = Math.min(SLAB_SIZE_BYTES, Math.max(this.#remainingHint, 1024) + 3);
      this.#onGrow(sizeBytes);
      this.#remainingHint -= sizeBytes;
      this.#last = Buffer.allocUnsafeSlow(sizeBytes);
      this.#lastUsed = 0;
    }
    return { buffer: this.#last, offset: this.#lastUsed };
  }
}

const PADDING = 0x3d;

/** Counts characters and looks at nothing but the padding: for measuring clients. */
export class CountedContent implements PartContent {
  readonly slabs: readonly Buffer[] = [];
  #characters = 0;
  #beforeLast = 0;
  #last = 0;

  get sizeBytes(): number {
    const padding = Number(this.#last === PADDING) + Number(this.#beforeLast === PADDING);
    return Math.floor((this.#characters * 3) / 4) - padding;
  }

  write(chunk: Buffer, start: number, end: number): void {
    if (start >= end) return;
    this.#characters += end - start;
    this.#beforeLast = end - start >= 2 ? (chunk[end - 2] ?? 0) : this.#last;
    this.#last = chunk[end - 1] ?? 0;
  }

  end(): boolean {
    return this.#characters % 4 === 0;
  }
}
