/** A source of known bytes that counts what is asked of it. */

import type { LayerSource, OpenSource } from '../../src/layer/layer-source.ts';

export interface CountedSource extends LayerSource {
  readonly bytes: Uint8Array;
  /** First bytes of the reading of each that was opened; `undefined` where nothing was read. */
  readonly starts: (number | undefined)[];
  openCount(): number;
  readingCount(): number;
  readBytes(): number;
}

export interface CountedSourceOptions {
  readonly sizeBytes: number;
  /** What `sizeBytes` says. Default: the truth. */
  readonly saidBytes?: number | undefined;
  readonly rereadable?: boolean;
  readonly startsAnywhere?: boolean;
  readonly path?: string;
  /** Where reading breaks off with `failure`, the first time. */
  readonly failsAt?: number;
  readonly failure?: Error;
  readonly openFailure?: Error;
  /** Waited for before each read. */
  readonly beforeRead?: () => Promise<void>;
}

/** No two pieces of it are the same. */
const POOL = Uint8Array.from(
  { length: 2 * 1024 * 1024 },
  (_, index) => (index * 31 + (index >> 9)) & 255,
);

export function countedSource(options: CountedSourceOptions): CountedSource {
  const { sizeBytes, rereadable = true, startsAnywhere = true, path, failsAt, failure } = options;
  const bytes = POOL.subarray(0, sizeBytes);
  const starts: (number | undefined)[] = [];
  let openCount = 0;
  let readingCount = 0;
  let readBytes = 0;
  const open = (): OpenSource => {
    const index = starts.length;
    const isFirst = index === 0;
    starts.push(undefined);
    openCount += 1;
    let isOpen = true;
    return {
      sizeBytes: 'saidBytes' in options ? options.saidBytes : sizeBytes,
      rereadable,
      cheapToReread: false,
      startsAnywhere,
      path,
      get receivedBytes() {
        return readBytes;
      },
      read: async (target, firstByte, signal) => {
        starts[index] ??= firstByte;
        readingCount += 1;
        try {
          await options.beforeRead?.();
          signal.throwIfAborted();
          if (!isOpen) throw new Error('it is read after it was closed');
          if (isFirst && failsAt !== undefined && firstByte + target.length > failsAt)
            throw failure;
          const piece = bytes.subarray(firstByte, firstByte + target.length);
          target.set(piece);
          readBytes += piece.length;
          return piece.length;
        } finally {
          readingCount -= 1;
        }
      },
      assertUnchanged: () => Promise.resolve(),
      close: () => {
        if (isOpen) openCount -= 1;
        isOpen = false;
        return Promise.resolve();
      },
    };
  };
  return {
    label: 'counted',
    digest: `sha256:${'1'.repeat(64)}`,
    bytes,
    starts,
    openCount: () => openCount,
    readingCount: () => readingCount,
    readBytes: () => readBytes,
    open: () =>
      options.openFailure === undefined
        ? Promise.resolve(open())
        : Promise.reject(options.openFailure),
  };
}
