/** What the heart needs from the outside world; `src/pool` and `src/ecr` provide it. */

import type { Digest } from '../digest.ts';
import type { LongshoreError } from '../errors.ts';

/** Half-open range of a layer's bytes: `[firstByte, endByte)`. */
export interface ByteRange {
  readonly firstByte: number;
  readonly endByte: number;
}

/** One open upload at the registry. */
export interface UploadTarget {
  readonly repository: string;
  readonly uploadId: string;
}

/** What to do about a failed call, as far as the registry's answer tells. */
export type FaultKind =
  /** Network, 5xx, time-out: it may or may not have taken effect. */
  | 'ambiguous'
  /** Refused for its rate: it took no effect. */
  | 'throttled'
  /** Credentials or clock were stale and have been renewed: it took no effect. */
  | 'renewed'
  | 'upload-lost'
  | 'part-out-of-order'
  | 'already-exists'
  | 'repository-missing'
  /** An image's layers, or the images of an index, are not in the repository. */
  | 'layers-missing'
  | 'children-missing'
  | 'tag-immutable'
  /** The same call cannot succeed. */
  | 'final';

/** A failed call: the error a caller would see, and what the engine may do about it. */
export class RegistryFault extends Error {
  readonly kind: FaultKind;
  readonly error: LongshoreError;
  /** Of `part-out-of-order`: the first byte the registry lacks, where it said so. */
  readonly nextByte: number | undefined;
  /** How long the registry asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: FaultKind,
    error: LongshoreError,
    extra: { readonly nextByte?: number; readonly retryAfterMs?: number } = {},
  ) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
    this.nextByte = extra.nextByte;
    this.retryAfterMs = extra.retryAfterMs;
  }
}

/** A part whose request body is ready in shared memory. */
export interface PreparedPart extends ByteRange {
  readonly shared: SharedArrayBuffer;
  readonly bodyLengthBytes: number;
  /** Bytes at the end of the body that name the part; they are what can be held back. */
  readonly tailLengthBytes: number;
  /** SHA-256 of the body, hexadecimal, for the request's signature. */
  readonly bodySha256: string;
  /** State of the layer's digest at the part's end, where it can be saved. */
  readonly savedHash?: Uint8Array;
}

/** The registry's side of one layer upload. Every method rejects with {@link RegistryFault}. */
export interface LayerRegistry {
  hasLayer(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Resolves with false if somebody else had created it meanwhile. */
  createRepository(repository: string, signal: AbortSignal): Promise<boolean>;
  initiateUpload(
    repository: string,
    signal: AbortSignal,
  ): Promise<{ readonly uploadId: string; readonly partSizeBytes: number }>;
  /**
   * Sends a prepared part and resolves with the last byte the registry has.
   * While `gate` is pending, the body's tail is held back.
   */
  sendPart(
    target: UploadTarget,
    part: PreparedPart,
    gate: Promise<void> | undefined,
    signal: AbortSignal,
  ): Promise<number>;
  /** Resolves with the digest the registry computed. */
  completeUpload(target: UploadTarget, digest: Digest, signal: AbortSignal): Promise<Digest>;
}

/** Where a part's bytes are when a worker begins with it. */
export type PartInput =
  /** In a file, where the layer's first byte is at `offsetBytes`. */
  | { readonly kind: 'file'; readonly path: string; readonly offsetBytes: number }
  /** In the part's shared memory, from `offsetBytes` on, put there by the main thread. */
  | { readonly kind: 'staged'; readonly offsetBytes: number };

/** Bytes of a file that are a layer, or will become one. */
export interface FileRange {
  readonly path: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** For messages. */
  readonly label: string;
}

/** The text around a part's base64 in its request body. */
export interface PartFraming {
  readonly prefix: string;
  readonly suffix: string;
}

/** Frames parts for a registry. */
export type FramePart = (target: UploadTarget, range: ByteRange) => PartFraming;

/** The running SHA-256 of one layer; its state lives in the workers. */
export interface LayerHash {
  /** Folds the part into the digest and builds its request body, in one pass. */
  preparePart(
    shared: SharedArrayBuffer,
    range: ByteRange,
    input: PartInput,
    framing: PartFraming,
  ): Promise<PreparedPart>;
  /** Folds bytes into the digest without building a body. Resolves with its state, as `savedHash`. */
  fold(
    shared: SharedArrayBuffer,
    input: PartInput,
    firstByte: number,
    lengthBytes: number,
  ): Promise<Uint8Array | undefined>;
  /** Of all parts prepared so far. */
  digest(): Promise<Digest>;
  /** Lets the state go. Idempotent. */
  dispose(): void;
}

/** The workers' side of one layer upload. Methods reject with `LongshoreError`. */
export interface LayerWorkshop {
  /**
   * @param label the source, for messages
   * @param portable where given, the state can be saved, and goes on from `saved`
   */
  openHash(label: string, portable?: { readonly saved: Uint8Array | undefined }): LayerHash;
  /** Hashes a range of a file; `progress` holds the bytes done so far. */
  hashFile(file: FileRange, progress: SharedArrayBuffer, signal: AbortSignal): Promise<Digest>;
}
