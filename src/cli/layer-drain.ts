/** Tells when the layers of a push that were being sent at a moment have ended. */

import type { Digest, UploaderSnapshot } from '../index.ts';
import type { ProgressEvent } from './progress/progress-model.ts';

export class LayerDrain {
  readonly #onDrained: () => void;
  /** Blobs that are still to be sent; unknown before the plan. */
  #uploads: Set<Digest> | undefined;
  /** What is waited for, once it began. */
  #layerIds: Set<number> | undefined;

  /** @param onDrained called once, and not at all if nothing would be left to stop by then */
  constructor(onDrained: () => void) {
    this.#onDrained = onDrained;
  }

  /** @returns how many layers are waited for */
  begin(snapshot: UploaderSnapshot): number {
    const sent = snapshot.layers.filter(
      ({ state }) => state === 'sending' || state === 'completing',
    );
    this.#layerIds = new Set(sent.map(({ layerId }) => layerId));
    this.#look();
    return sent.length;
  }

  record(event: ProgressEvent): void {
    if (event.type === 'image-planned') {
      const uploads = event.plan.blobs.filter(({ action }) => action === 'upload');
      this.#uploads = new Set(uploads.map(({ digest }) => digest));
      return;
    }
    if (event.type !== 'layer-completed' && event.type !== 'layer-failed') return;
    if (event.type === 'layer-completed') this.#uploads?.delete(event.receipt.digest);
    if (this.#layerIds?.delete(event.layerId) === true) this.#look();
  }

  #look(): void {
    if (this.#layerIds === undefined || this.#layerIds.size > 0) return;
    // With the last layer there, what is left are the manifests: moments, for a whole image.
    if (this.#uploads?.size === 0) return;
    this.#onDrained();
  }
}
