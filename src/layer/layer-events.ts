/** What an upload tells its caller while it runs, and what it returns. */

import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { JournalProblem } from './layer-journal.ts';
import type { StallAction, WaitingFor } from './stall-watch.ts';

/** Names the layer an event is about. */
export interface LayerName {
  readonly repository: string;
  /** The source's label. */
  readonly source: string;
  /** Unique within the uploader; tells apart two uploads of the same source. */
  readonly layerId: number;
}

/** How a layer ended well. */
export interface LayerReceipt {
  readonly repository: string;
  readonly source: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** `already-present`: ECR had the layer, found before the first byte or at Complete. */
  readonly outcome: 'uploaded' | 'already-present';
  /** Parts acknowledged by ECR, those of an earlier process included; 0 for a layer that was there. */
  readonly partCount: number;
  /** Layer bytes sent by this upload, those sent again included (before base64, which adds a third). */
  readonly sentBytes: number;
  /** Layer bytes that ECR had from an earlier process or call, and that were not sent again; 0 mostly. */
  readonly resumedBytes: number;
  /** From when its turn came (`layersInFlight`) to its end. */
  readonly durationMs: number;
}

/** Frozen, all that is in it too; delivered synchronously to `onEvent`, which can neither delay nor break the upload. */
export type LayerEvent = LayerName &
  (
    | {
        readonly type: 'layer-started';
        readonly sizeBytes: number | undefined;
        /** Where it is known beforehand. */
        readonly digest: Digest | undefined;
      }
    | { readonly type: 'layer-hashed'; readonly digest: Digest }
    | { readonly type: 'repository-created' }
    | {
        readonly type: 'upload-initiated';
        readonly uploadId: string;
        readonly partSizeBytes: number;
        /** `undefined` for a stream of unknown length. */
        readonly partCount: number | undefined;
      }
    | {
        readonly type: 'part-acknowledged';
        readonly partIndex: number;
        readonly firstByte: number;
        readonly endByte: number;
        readonly attemptCount: number;
        readonly durationMs: number;
      }
    | {
        readonly type: 'call-retried';
        readonly operation: string;
        readonly partIndex?: number;
        /** The attempt that failed, from 1. */
        readonly attempt: number;
        readonly delayMs: number;
        readonly code: ErrorCode;
        readonly message: string;
      }
    /**
     * Something has not moved for half of the time that it is given, and again each time that wait has
     * doubled (`none`); or it was given up for that.
     */
    | {
        readonly type: 'layer-stalled';
        /** The part that does not move, where it is one. */
        readonly partIndex?: number;
        /** The call that is waited for, where it carries no part. */
        readonly operation?: string;
        readonly waitingFor: WaitingFor;
        readonly waitedMs: number;
        readonly action: StallAction;
      }
    /** The upload of an earlier process goes on (`resumeDirectory`), instead of `upload-initiated`. */
    | {
        readonly type: 'layer-resumed';
        readonly uploadId: string;
        /** From the layer's start: bytes that ECR has and that are not sent again. */
        readonly resumedBytes: number;
      }
    /** The journal of a layer cannot be gone on with, or not be kept. The upload itself goes on. */
    | {
        readonly type: 'journal-unusable';
        readonly reason: JournalProblem;
        /** For people. */
        readonly message: string;
      }
    | { readonly type: 'window-changed'; readonly partsInFlight: number }
    | { readonly type: 'layer-restarted'; readonly code: ErrorCode; readonly message: string }
    | { readonly type: 'layer-completed'; readonly receipt: LayerReceipt }
    | {
        readonly type: 'layer-failed';
        readonly code: ErrorCode | 'ABORTED' | 'E_UNEXPECTED';
        readonly message: string;
      }
  );

/** What a layer is doing now. */
export type LayerState =
  | 'waiting'
  | 'compressing'
  | 'hashing'
  | 'checking'
  | 'sending'
  | 'completing';

/** One layer under way. */
export interface LayerSnapshot extends LayerName {
  readonly state: LayerState;
  readonly digest: Digest | undefined;
  readonly sizeBytes: number | undefined;
  /** Bytes hashed or compressed before sending, 0..sizeBytes. */
  readonly hashedBytes: number;
  /** Bytes acknowledged by ECR. Never falls, except when the layer starts again. */
  readonly acceptedBytes: number;
  /** Layer bytes that the sockets took so far, parts in flight included. */
  readonly wiredBytes: number;
  readonly partsInFlight: number;
}

/** The pull side of progress: cheap, safe to call many times a second. */
export interface UploaderSnapshot {
  /** Layers under way, in the order in which they were asked for. */
  readonly layers: readonly LayerSnapshot[];
  readonly uploadedLayerCount: number;
  readonly presentLayerCount: number;
  readonly failedLayerCount: number;
  /** Bytes acknowledged over the uploader's life. */
  readonly acceptedBytes: number;
  /** Bytes that had to be sent again. */
  readonly resentBytes: number;
  /** Part buffers now allocated; never above `bytesInMemoryMax`. */
  readonly bytesInMemory: number;
}
