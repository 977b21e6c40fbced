/** Where a layer's bytes come from, as the engine sees it. `src/source` has the implementations. */

import type { Digest } from '../digest.ts';

/** Describes a source; nothing is opened or read until the upload begins. */
export interface LayerSource {
  /** For messages and progress: a path, or what kind of source it is. */
  readonly label: string;
  /** The digest, where the source knows it (an OCI layout does, a bare file does not). */
  readonly digest?: Digest;
  /**
   * Opens the source. Called once an upload, and once more when the layer has to start again
   * (only if `rereadable` was true).
   * @throws LongshoreError E_SOURCE_UNREADABLE
   */
  open(signal: AbortSignal): Promise<OpenSource>;
}

/** Tells whether a file is still the one it was, also in another process. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Differs as soon as the file is written to or replaced: size, time of change, inode, device. */
  readonly stamp: string;
}

/** A source that is open for one pass, front to back. */
export interface OpenSource {
  /** In bytes; `undefined` where only the end of the data will tell. */
  readonly sizeBytes: number | undefined;
  /** Whether `open` may be called again for the same bytes. */
  readonly rereadable: boolean;
  /** Whether one more pass costs next to nothing: then a layer ECR has is found before sending. */
  readonly cheapToReread: boolean;
  /** Whether the first read may begin anywhere, and not only at the first byte. Default false. */
  readonly startsAnywhere?: boolean | undefined;
  /** A path that worker threads can read by themselves, so that no byte passes the main thread. */
  readonly path?: string | undefined;
  /** Where in that file the source's first byte is: a blob within an archive. Default 0. */
  readonly pathOffsetBytes?: number | undefined;
  /** The file at `path`, where an upload of it may be resumed by another process. */
  readonly file?: SourceFile | undefined;
  /**
   * Bytes that have arrived so far, where the source can tell while it is read: then one that gives
   * little now and then does not count as silent.
   */
  readonly receivedBytes?: number | undefined;
  /**
   * Fills `target` from the start with the bytes at `firstByte`; calls come in order, without gaps.
   * Resolves with the count of bytes written, less than `target.length` only at the end of the data.
   * Not called where `path` is set.
   * @throws LongshoreError E_SOURCE_UNREADABLE
   */
  read(target: Uint8Array, firstByte: number, signal: AbortSignal): Promise<number>;
  /**
   * Called after the last byte was read.
   * @throws LongshoreError E_SOURCE_CHANGED if the source is not what it was when opened
   */
  assertUnchanged(): Promise<void>;
  /** Idempotent. Called on every path, also after an error. */
  close(): Promise<void>;
}
