/** Reads a source on from one byte to another without sending it, and folds it into its digest. */

import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { type PartMemory, partMemoryBytes, stagingArea } from './part-memory.ts';
import type { ByteRange, LayerHash } from './ports.ts';
import { sourceChanged } from './source-errors.ts';
import type { WatchedSource } from './watched-source.ts';

export interface SourceFoldOptions {
  readonly source: WatchedSource;
  readonly sourceLabel: string;
  readonly hash: LayerHash;
  readonly memory: PartMemory;
  /** One double: where the reading is. */
  readonly counter: SharedArrayBuffer;
  /** Most bytes of memory at once, of a layer; a part's, where memory may be short. */
  readonly pieceBytesMax: number;
}

/** Bytes of a file that are folded before an abort is looked for, and progress is seen. */
const FILE_PIECE_BYTES: number = 32 * 1024 * 1024;

const NO_MEMORY = new SharedArrayBuffer(0);

/**
 * Resolves with the digest's saved state, of hashers that have one.
 * @param isFolded whether the digest takes the bytes in; otherwise they are only read
 * @throws LongshoreError E_SOURCE_UNREADABLE, E_SOURCE_CHANGED; the signal's reason
 */
export async function foldSource(
  options: SourceFoldOptions,
  { firstByte, endByte }: ByteRange,
  isFolded: boolean,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { source, hash, memory } = options;
  const { path, pathOffsetBytes = 0 } = source;
  const isFile = path !== undefined;
  const pieceBytes = Math.min(
    endByte - firstByte,
    isFile ? FILE_PIECE_BYTES : Math.min(options.pieceBytesMax, PART_SIZE_REPORTED_BYTES),
  );
  const remainingBytes = (source.sizeBytes ?? Number.POSITIVE_INFINITY) - firstByte;
  const shared = isFile
    ? NO_MEMORY
    : await memory.acquire(partMemoryBytes(pieceBytes), remainingBytes, signal);
  let savedHash: Uint8Array | undefined;
  try {
    for (let at = firstByte; at < endByte; at += pieceBytes) {
      signal.throwIfAborted();
      const lengthBytes = Math.min(pieceBytes, endByte - at);
      if (!isFile) await read(options, stagingArea(shared, lengthBytes), at, signal);
      if (isFolded) {
        const input = isFile
          ? ({ kind: 'file', path, offsetBytes: pathOffsetBytes } as const)
          : ({ kind: 'staged', offsetBytes: shared.byteLength - lengthBytes } as const);
        // Not before: a source that gives nothing keeps no thread busy.
        const endPreparation = memory.beginPreparation();
        try {
          savedHash = await hash.fold(shared, input, at, lengthBytes);
        } finally {
          endPreparation();
        }
      }
      new Float64Array(options.counter)[0] = at + lengthBytes;
    }
    signal.throwIfAborted();
    return savedHash;
  } finally {
    if (!isFile) void source.idle.then(() => memory.release(shared));
  }
}

async function read(
  { source, sourceLabel }: SourceFoldOptions,
  area: Uint8Array,
  firstByte: number,
  signal: AbortSignal,
): Promise<void> {
  const lengthBytes = await source.read(area, firstByte, signal);
  if (lengthBytes === area.length) return;
  const wantedBytes = source.sizeBytes ?? firstByte + area.length;
  throw sourceChanged(sourceLabel, wantedBytes, firstByte + lengthBytes);
}
