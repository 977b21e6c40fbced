/** Runs layers under the uploader's budgets and keeps account of them. */

import pLimit from 'p-limit';
import { failureOf } from '../errors.ts';
import { PART_SIZE_MIN_BYTES } from '../limits.ts';
import { EventSink } from './event-sink.ts';
import type { LayerEvent, LayerReceipt, UploaderSnapshot } from './layer-events.ts';
import { LayerProgress } from './layer-progress.ts';
import type { LayerOrder, LayerUploadContext } from './upload-context.ts';
import type { LayerRegistry } from './ports.ts';
import { takePermit } from './permit.ts';
import { StallReporter } from './stall-reporter.ts';

/** Layers of at most so many bytes do not wait for the turn of larger ones: one part holds them. */
const SMALL_LAYER_BYTES: number = PART_SIZE_MIN_BYTES;
/** Small layers side by side, beside the large ones; not more than there may be of those. */
const SMALL_LAYERS_IN_FLIGHT = 16;

export class LayerQueue {
  readonly #context: LayerUploadContext;
  readonly #permits: ReturnType<typeof pLimit>;
  /** Of small layers: all that an image waits for may be a config behind the layers of others. */
  readonly #smallPermits: ReturnType<typeof pLimit>;
  readonly #layers = new Set<LayerProgress>();
  readonly #stalls: StallReporter;
  readonly #totals = { acceptedBytes: 0, resentBytes: 0 };
  readonly #counts = { uploaded: 0, 'already-present': 0, failed: 0 };
  #lastLayerId = 0;

  constructor(context: LayerUploadContext, layersInFlight: number) {
    this.#context = context;
    this.#permits = pLimit(layersInFlight);
    this.#smallPermits = pLimit(Math.min(layersInFlight, SMALL_LAYERS_IN_FLIGHT));
    this.#stalls = new StallReporter(this.#layers, context.timeouts);
  }

  /**
   * Uploads one layer when its turn comes; layers that wait begin in the order in which they came, the
   * small ones of them beside the large ones.
   * @param options.sizeBytes where it is known already: else the layer counts as large
   * @param options.registry whose calls it makes; default: the uploader's own
   * @param options.createRepository whether a missing repository is made; default: as the uploader has it
   * @param options.beginSignal once it aborts, the layer is not begun any more
   */
  async run(
    order: LayerOrder,
    signal: AbortSignal,
    onEvent: ((event: LayerEvent) => void) | undefined,
    options: {
      readonly registry?: LayerRegistry;
      readonly createRepository?: boolean;
      readonly sizeBytes?: number;
      readonly beginSignal?: AbortSignal;
    } = {},
  ): Promise<LayerReceipt> {
    const progress = this.track(order.repository, order.source.label, onEvent);
    const { repository, source } = order;
    const { beginSignal = signal, sizeBytes = Number.POSITIVE_INFINITY } = options;
    const permits = sizeBytes <= SMALL_LAYER_BYTES ? this.#smallPermits : this.#permits;
    try {
      const givePermitBack = await takePermit(permits, beginSignal);
      const startedAtMs = performance.now();
      try {
        const {
          registry = this.#context.registry,
          createRepository = this.#context.createRepository,
        } = options;
        const context = { ...this.#context, registry, createRepository };
        // With the first layer comes all that sends layers: who only imports the library need not wait for it.
        const { LayerUpload } = await import('./layer-upload.ts');
        const outcome = await new LayerUpload(context, order, progress, signal).run();
        const durationMs = Math.round(performance.now() - startedAtMs);
        const receipt = { repository, source: source.label, ...outcome, durationMs };
        this.#counts[outcome.outcome] += 1;
        progress.emit({ type: 'layer-completed', receipt });
        return receipt;
      } finally {
        givePermitBack();
      }
    } catch (error) {
      this.#counts.failed += 1;
      const isAborted = signal.aborted || (beginSignal.aborted && error === beginSignal.reason);
      progress.emit({ type: 'layer-failed', ...failureOf(error, isAborted) });
      throw error;
    } finally {
      this.untrack(progress);
    }
  }

  /** Of the layers completed so far; see `LayerOrder.presence`. */
  get completedMark(): number {
    return this.#context.completed.mark;
  }

  /** Makes a layer visible in `snapshot`; `untrack` ends it. */
  track(repository: string, source: string, onEvent?: (event: LayerEvent) => void): LayerProgress {
    this.#lastLayerId += 1;
    const name = { repository, source, layerId: this.#lastLayerId };
    const progress = new LayerProgress(name, this.#totals, new EventSink(onEvent));
    this.#layers.add(progress);
    this.#stalls.start();
    return progress;
  }

  untrack(progress: LayerProgress): void {
    this.#layers.delete(progress);
    if (this.#layers.size === 0) this.#stalls.stop();
  }

  snapshot(): UploaderSnapshot {
    return {
      layers: [...this.#layers].map((layer) => layer.snapshot()),
      uploadedLayerCount: this.#counts.uploaded,
      presentLayerCount: this.#counts['already-present'],
      failedLayerCount: this.#counts.failed,
      ...this.#totals,
      bytesInMemory: this.#context.memory.allocatedBytes,
    };
  }
}
