/** One ECR registry as a sync sees it. `src/uploader` has what is behind it. */

import type { Digest } from '../digest.ts';
import type { ImageEvent, ImageReceipt } from '../image/image-events.ts';
import type { ImagePlan, PlannedBlob } from '../image/image-plan.ts';
import type { StoredImage } from '../image/image-registry.ts';
import type { ImageRequest } from '../image/image-request.ts';
import type { UploaderSnapshot } from '../layer/layer-events.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { RepositorySettings } from '../uploader/uploader-options.ts';

/** One push into a target. */
export interface TargetPush extends ImageRequest {
  readonly createRepository: boolean | RepositorySettings;
  /** Called when it is known what has to be done, before anything is created or sent. */
  readonly beforeTransfer: (plan: ImagePlan) => Promise<void>;
  /** Creates the repository where it is missing. */
  readonly createOnce: (create: () => Promise<void>) => Promise<void>;
  /**
   * Brings a blob that the repository lacks into it.
   * @param upload sends it from the image's source, or from another source of the same bytes
   */
  readonly obtainBlob: (
    blob: PlannedBlob,
    upload: (source?: LayerSource) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<'uploaded' | 'mounted'>;
}

export interface TargetCall {
  readonly signal: AbortSignal;
  readonly drainSignal: AbortSignal;
  readonly onEvent: (event: ImageEvent) => void;
}

export interface SyncTarget {
  readonly name: string;
  /** `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, as ECR tells it; asked for once. */
  registryHost(signal: AbortSignal): Promise<string>;
  /** Images of any number of tags, 100 a call; empty where there is no such repository. */
  readTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, StoredImage>>;
  /** Those of the tags that the repository does not let be moved; none where that may not be asked. */
  immutableTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Whether the account lets blobs be mounted (`BLOB_MOUNTING`); asked for once. */
  mountsAllowed(signal: AbortSignal): Promise<boolean>;
  /** Takes a blob over from another repository of the registry, through `/v2`. */
  mount(
    repository: string,
    from: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<'mounted' | 'refused'>;
  plan(
    request: ImageRequest & Pick<TargetPush, 'createRepository'>,
    call: TargetCall,
  ): Promise<ImagePlan>;
  push(request: TargetPush, call: TargetCall): Promise<ImageReceipt>;
  /** Rates that are kept to, calls per second by operation. */
  readonly callsPerSecondMax: Readonly<Record<string, number>>;
  /** Every call so far, by operation, attempts counted. */
  calls(): Readonly<Record<string, number>>;
  throttledCallCount(): number;
  snapshot(): UploaderSnapshot;
}
