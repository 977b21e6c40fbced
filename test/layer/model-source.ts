/** A layer in nobody's memory: each piece that is read begins with a byte that tells where it is from. */

import type { Digest } from '../../src/digest.ts';
import type { LayerSource, OpenSource, SourceFile } from '../../src/layer/layer-source.ts';

export interface ModelSourceOptions {
  readonly sizeBytes: number;
  /** Whether the size is told. Default true. */
  readonly isSizeKnown?: boolean;
  /** What there really is. Default: as said. */
  readonly actualBytes?: number;
  /** Default true. */
  readonly rereadable?: boolean;
  /** Default false. */
  readonly cheapToReread?: boolean;
  readonly digest?: Digest;
  readonly path?: string;
  readonly pathOffsetBytes?: number;
  readonly file?: SourceFile;
  readonly assertUnchanged?: () => Promise<void>;
  /** Called before each piece is given. */
  readonly beforeRead?: (firstByte: number, signal: AbortSignal) => Promise<void>;
}

/** The first byte of a piece that begins there. */
export function markAt(firstByte: number): number {
  return 1 + (firstByte % 251);
}

export class ModelSource implements LayerSource {
  readonly label = 'the layer';
  readonly digest?: Digest;
  /** How often it was opened, closed and asked at its end. */
  readonly counts = { opened: 0, closed: 0, assured: 0 };
  readonly #options: ModelSourceOptions;

  constructor(options: ModelSourceOptions) {
    this.#options = options;
    if (options.digest !== undefined) this.digest = options.digest;
  }

  async open(): Promise<OpenSource> {
    const { sizeBytes, isSizeKnown = true, actualBytes = sizeBytes, beforeRead } = this.#options;
    const { rereadable = true, cheapToReread = false, path, pathOffsetBytes, file } = this.#options;
    this.counts.opened += 1;
    let position: number | undefined;
    return {
      sizeBytes: isSizeKnown ? sizeBytes : undefined,
      rereadable,
      cheapToReread,
      path,
      pathOffsetBytes,
      file,
      read: async (target, firstByte, signal) => {
        if (path !== undefined) throw new Error('a file is read by the workers');
        if (firstByte !== (position ?? firstByte)) throw new Error('pieces do not follow');
        await beforeRead?.(firstByte, signal);
        const lengthBytes = Math.max(0, Math.min(target.length, actualBytes - firstByte));
        if (lengthBytes > 0) target[0] = markAt(firstByte);
        position = firstByte + lengthBytes;
        return lengthBytes;
      },
      assertUnchanged: async () => {
        this.counts.assured += 1;
        await this.#options.assertUnchanged?.();
      },
      close: async () => {
        this.counts.closed += 1;
      },
    };
  }
}
