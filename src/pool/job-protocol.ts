/**
 * What the main thread asks of a worker and what it answers. Plain data: nothing is thrown across
 * threads, and part bytes travel only as shared memory.
 */

import type { Compression } from '../image/image-source.ts';
import type { ConnectionSettings, Reply, RequestHead } from '../layer/part-transmitter.ts';
import type { PartFraming, PartInput } from '../layer/ports.ts';

export type HasherKind = 'wasm' | 'native';

/** Where a running digest is: in the worker, under a key, or in the saved bytes. */
export type HashState =
  | { readonly kind: 'native'; readonly key: string }
  | { readonly kind: 'wasm'; readonly saved: Uint8Array | undefined };

export interface FoldJob {
  readonly kind: 'fold';
  readonly shared: SharedArrayBuffer;
  readonly input: PartInput;
  readonly firstByte: number;
  readonly lengthBytes: number;
  readonly hash: HashState;
  /** Where given, the request body is built as well. */
  readonly framing: PartFraming | undefined;
}

export interface TransmitJob {
  readonly kind: 'transmit';
  readonly id: string;
  readonly shared: SharedArrayBuffer;
  readonly bodyLengthBytes: number;
  /** Bytes at the end to hold back until `release`; 0 to hold nothing. */
  readonly heldLengthBytes: number;
  readonly head: RequestHead;
  readonly connection: ConnectionSettings;
}

export interface CompressJob {
  readonly kind: 'compress';
  readonly id: string;
  readonly input: {
    readonly path: string;
    readonly offsetBytes: number;
    readonly sizeBytes: number;
  };
  /** Must not exist yet. */
  readonly outputPath: string;
  readonly compression: Required<Compression>;
  readonly hasher: HasherKind;
  /** One double: bytes of the input done so far. */
  readonly progress: SharedArrayBuffer;
}

export interface DownloadJob {
  readonly kind: 'download';
  readonly id: string;
  readonly url: string;
  /** More than this is not read. */
  readonly sizeBytes: number;
  readonly hasher: HasherKind;
  readonly connection: ConnectionSettings;
}

export type Job =
  /** Answered at once by a thread whose event loop runs. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'calibrate' }
  | {
      readonly kind: 'hash-file';
      readonly id: string;
      readonly path: string;
      readonly offsetBytes: number;
      readonly sizeBytes: number;
      readonly hasher: HasherKind;
      readonly progress: SharedArrayBuffer;
    }
  | FoldJob
  | { readonly kind: 'digest'; readonly hash: HashState }
  | { readonly kind: 'forget-hash'; readonly key: string }
  | TransmitJob
  | CompressJob
  | DownloadJob
  | { readonly kind: 'release'; readonly id: string }
  | { readonly kind: 'cancel'; readonly id: string };

/** What each kind of job answers when it went well. */
export interface JobValue {
  ping: undefined;
  calibrate: HasherKind;
  'hash-file': string;
  fold: {
    readonly savedHash: Uint8Array | undefined;
    readonly body:
      | {
          readonly lengthBytes: number;
          readonly tailLengthBytes: number;
          readonly sha256: string;
        }
      | undefined;
  };
  digest: string;
  'forget-hash': undefined;
  transmit: Reply;
  compress: {
    readonly sha256: string;
    readonly diffSha256: string;
    readonly sizeBytes: number;
  };
  download: { readonly sizeBytes: number; readonly sha256: string };
  release: undefined;
  cancel: undefined;
}

/** Why a job did not do what it was asked. */
export interface JobFailure {
  readonly kind:
    /** A file could not be opened or read. */
    | 'unreadable'
    /** A file could not be written. */
    | 'unwritable'
    /** A file ended early; `foundBytes` says where. */
    | 'short'
    /** The worker that had the digest's state is gone. */
    | 'hash-lost'
    | 'cancelled'
    | 'network'
    /** Waited too long, for `waitedMs`. */
    | 'timeout'
    /** A defect of longshore's own. */
    | 'defect';
  readonly message: string;
  readonly systemCode?: string;
  readonly foundBytes?: number;
  readonly waitedMs?: number;
  /** Of a reply that is no success. */
  readonly httpStatus?: number;
}

export type JobResult<Kind extends Job['kind'] = Job['kind']> =
  | { readonly ok: true; readonly value: JobValue[Kind] }
  | { readonly ok: false; readonly failure: JobFailure };
