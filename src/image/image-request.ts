/** What the caller of a push, a plan or a verification says. */

import type { ImageEvent, VerificationEvent } from './image-events.ts';
import type { Compression, ImageSource } from './image-source.ts';
import type { RepositorySettings } from './repository-settings.ts';

/** One image to push. */
export interface ImageRequest {
  /** Repository name, without registry host or tag. */
  readonly repository: string;
  readonly image: ImageSource;
  /** Tags to put on it. Default none: the image can be pulled by its digest only. */
  readonly tags?: readonly string[];
  /**
   * Takes these platforms of an index, written `os/architecture[/variant]`. Of one platform the image
   * itself is pushed; of several, an index that lists only these (its digest is a new one, those of the
   * images stay). Default: all.
   */
  readonly platforms?: readonly string[];
  /** Also pushes what refers to the image: signatures, SBOMs. Default false. */
  readonly referrers?: boolean;
  /** For layers that are not compressed yet, as `docker save` writes them. Default gzip, level 6. */
  readonly compression?: Compression;
  /**
   * Creates the repository if it is missing, with these settings or ECR's defaults; one that exists is
   * left as it is. A plan counts it as empty. Default: the uploader's `createRepository`.
   */
  readonly createRepository?: boolean | RepositorySettings;
}

/** What belongs to one push or plan. */
export interface ImageCall {
  /** Aborts it; it rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /**
   * Once it aborts, no layer and no manifest is begun; layers that are being sent are finished, then
   * the push rejects with its reason. What was completed is found by the next push.
   */
  readonly drainSignal?: AbortSignal;
  /** Called synchronously with each event; never awaited. What it throws is reported once and ignored. */
  readonly onEvent?: (event: ImageEvent) => void;
}

/** One image to read back. */
export interface VerificationRequest {
  readonly repository: string;
  /** A tag, or a digest (`sha256:...`). */
  readonly reference: string;
  /** Compares digest, manifests and blobs with this source as well. */
  readonly image?: ImageSource;
  /** Also reads back what refers to the image. Default false. */
  readonly referrers?: boolean;
  /** As for the push that it verifies; only with `image`. */
  readonly platforms?: readonly string[];
  readonly compression?: Compression;
}

/** What belongs to one verification. */
export interface VerificationCall {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: VerificationEvent) => void;
}
