/** What a push tells its caller while it runs, and what it returns. */

import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { LayerEvent } from '../layer/layer-events.ts';
import type { Platform } from './descriptor.ts';
import type { ImagePlan, PlannedBlob, PlannedManifest } from './image-plan.ts';

/** Names the push an event is about. */
export interface ImageName {
  readonly repository: string;
  /** The image source's label. */
  readonly image: string;
  /** Unique within the uploader. */
  readonly imageId: number;
}

/** One layer or config of a pushed image. */
export interface ImageBlobReceipt {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly kind: 'layer' | 'config';
  /**
   * `foreign` layers stay with their vendor. `mounted` ones were taken over from another repository of the
   * registry, which only a bulk sync does.
   */
  readonly outcome: 'uploaded' | 'mounted' | 'already-present' | 'foreign';
  /** Layer bytes sent, those sent again included. */
  readonly sentBytes: number;
  readonly durationMs: number;
}

/** One manifest of a pushed image. */
export interface ImageManifestReceipt extends Omit<PlannedManifest, 'action'> {
  readonly outcome: 'put' | 'already-present';
}

/** How a push ended well. */
export interface ImageReceipt {
  readonly repository: string;
  /** The source's label. */
  readonly source: string;
  /** What the tags point to now. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** `already-present`: nothing had to be sent or put, no tag moved. */
  readonly outcome: 'pushed' | 'already-present';
  readonly tags: readonly {
    readonly tag: string;
    readonly outcome: 'put' | 'already-present';
    /** What the tag pointed to before, where that was something else. */
    readonly previousDigest: Digest | undefined;
  }[];
  readonly manifests: readonly ImageManifestReceipt[];
  /** Each blob once, the largest first. */
  readonly blobs: readonly ImageBlobReceipt[];
  /** Bytes of layers and configs sent, those sent again included (before base64). */
  readonly sentBytes: number;
  /** Bytes of layers and configs that did not have to travel, those of mounted ones included. */
  readonly skippedBytes: number;
  /** Calls to ECR by operation, every attempt counted. */
  readonly calls: Readonly<Record<string, number>>;
  readonly callCount: number;
  readonly durationMs: number;
}

/** Frozen, all that is in it too; delivered synchronously to `onEvent`, which can neither delay nor break the push. */
export type ImageEvent =
  /** What happens to the layers, beginning with `layer-started`. */
  | LayerEvent
  | (ImageName &
      (
        | { readonly type: 'image-started' }
        /** A layer of the source that was not compressed is compressed now. */
        | {
            readonly type: 'layer-compressed';
            readonly source: string;
            readonly digest: Digest;
            readonly diffId: Digest;
            readonly sizeBytes: number;
            readonly uncompressedSizeBytes: number;
            readonly durationMs: number;
          }
        /** Everything is known; bytes travel from now on. */
        | { readonly type: 'image-planned'; readonly plan: ImagePlan }
        /** A blob that is not sent; `layer-completed` tells of the others. */
        | { readonly type: 'blob-skipped'; readonly blob: PlannedBlob }
        | {
            readonly type: 'manifest-put';
            readonly digest: Digest;
            readonly tag: string | undefined;
            readonly outcome: 'put' | 'already-present';
          }
        /** ECR does not see layers that were completed; asked again, then sent again. */
        | {
            readonly type: 'layers-not-visible';
            readonly digest: Digest;
            readonly attempt: number;
            readonly delayMs: number;
          }
        | {
            readonly type: 'image-call-retried';
            readonly operation: string;
            readonly attempt: number;
            readonly delayMs: number;
            readonly code: ErrorCode;
            readonly message: string;
          }
        | { readonly type: 'image-completed'; readonly receipt: ImageReceipt }
        | {
            readonly type: 'image-failed';
            readonly code: ErrorCode | 'ABORTED' | 'E_UNEXPECTED';
            readonly message: string;
          }
      ));

/** What `verifyImage` found. It rejects with E_VERIFICATION_FAILED if anything is wrong. */
export interface ImageVerification {
  readonly repository: string;
  /** Tag or digest, as asked. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly digest: Digest;
    readonly sizeBytes: number;
    readonly platform: Platform | undefined;
  }[];
  /** Each blob once. `foreign` ones are not in ECR, and not read. */
  readonly blobs: readonly {
    readonly digest: Digest;
    readonly sizeBytes: number;
    readonly outcome: 'verified' | 'foreign';
  }[];
  readonly verifiedBytes: number;
  /** Whether it was compared with a source as well. */
  readonly comparedWithSource: boolean;
  readonly durationMs: number;
}

/** Told while an image is read back. */
export type VerificationEvent =
  | {
      readonly type: 'verification-started';
      readonly blobCount: number;
      readonly sizeBytes: number;
    }
  | {
      readonly type: 'blob-verified';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly durationMs: number;
    };
