/** Where a caller of our own, the bulk sync, has a say in a push. */

import type { LayerSource } from '../layer/layer-source.ts';
import type { ImagePlan, PlannedBlob } from './image-plan.ts';

/** A push without them sends what is missing, at once. */
export interface PushHooks {
  /** Called when it is known what has to be done, before anything is created or sent. */
  readonly beforeTransfer?: ((plan: ImagePlan) => Promise<void>) | undefined;
  /**
   * Called where the repository has to be created: images of one repository need not all try.
   * @param create creates it
   */
  readonly createOnce?: ((create: () => Promise<void>) => Promise<void>) | undefined;
  /**
   * Called for each blob that the repository lacks, once there is the repository: all of an image's at
   * once. Nothing is held for the blob before `upload` is called, so it may wait for other images.
   * @param upload sends the blob from the image's source, or from another source of the same bytes;
   * to be awaited
   * @param signal ends with the push, and when nothing shall be begun any more (`drainSignal`)
   * @returns how the blob got there; `uploaded` only after `upload` has resolved
   */
  readonly obtainBlob?:
    | ((
        blob: PlannedBlob,
        upload: (source?: LayerSource) => Promise<void>,
        signal: AbortSignal,
      ) => Promise<'uploaded' | 'mounted'>)
    | undefined;
}
