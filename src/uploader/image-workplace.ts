/** What an open image source may use: threads that hash and compress, and a folder of its own. */

import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import type { ImageEvent, ImageName } from '../image/image-events.ts';
import type { CompressedLayer, Compression, ImageSourceContext } from '../image/image-source.ts';
import type { EventSink } from '../layer/event-sink.ts';
import type { LayerProgress } from '../layer/layer-progress.ts';
import type { LayerQueue } from '../layer/layer-queue.ts';
import type { FileRange } from '../layer/ports.ts';
import type { Workshop } from '../pool/workshop.ts';
import type { TemporaryFolder } from './temporary-folder.ts';

/** Whose image it is, and who is to hear of it. */
export interface WorkplaceUser {
  readonly name: ImageName;
  readonly sink: EventSink<ImageEvent>;
}

export class ImageWorkplace {
  readonly #workshop: Workshop;
  readonly #layers: LayerQueue;
  /** A thread hashes or compresses one layer at a time; more at once would only take memory. */
  readonly #jobs: ReturnType<typeof pLimit>;

  /** @param layers makes what is under way visible */
  constructor(workshop: Workshop, layers: LayerQueue, workersMax: number) {
    this.#workshop = workshop;
    this.#layers = layers;
    this.#jobs = pLimit(workersMax);
  }

  contextFor(
    user: WorkplaceUser,
    compression: Required<Compression>,
    folder: TemporaryFolder,
  ): ImageSourceContext {
    let lastFile = 0;
    return {
      compression,
      temporaryDirectory: () => folder.path(),
      hash: (input, signal) =>
        this.#visibly(user, input, (progress) =>
          this.#jobs(() => this.#hash(input, progress, signal)),
        ),
      compress: async (input, signal) => {
        lastFile += 1;
        const name = `${lastFile}.layer`;
        const path = join(await folder.path(), name);
        return this.#visibly(user, input, (progress) =>
          this.#jobs(() => this.#compress(input, path, compression, user, progress, signal)),
        );
      },
    };
  }

  async #visibly<T>(
    { name }: WorkplaceUser,
    { label, sizeBytes }: FileRange,
    work: (progress: LayerProgress) => Promise<T>,
  ): Promise<T> {
    const progress = this.#layers.track(name.repository, label);
    progress.sizeBytes = sizeBytes;
    try {
      return await work(progress);
    } finally {
      this.#layers.untrack(progress);
    }
  }

  async #hash(input: FileRange, progress: LayerProgress, signal: AbortSignal): Promise<Digest> {
    signal.throwIfAborted();
    progress.state = 'hashing';
    return progress.during('preparation', undefined, () =>
      this.#workshop.hashFile(input, progress.hashedCounter, signal),
    );
  }

  async #compress(
    input: FileRange,
    path: string,
    compression: Required<Compression>,
    { name, sink }: WorkplaceUser,
    progress: LayerProgress,
    signal: AbortSignal,
  ): Promise<CompressedLayer> {
    signal.throwIfAborted();
    progress.state = 'compressing';
    const startedAtMs = performance.now();
    const { hashedCounter } = progress;
    const layer = await progress.during('preparation', undefined, () =>
      this.#workshop.compress(input, path, compression, hashedCounter, signal),
    );
    const { digest, diffId, sizeBytes } = layer;
    sink.emit({
      ...name,
      type: 'layer-compressed',
      source: input.label,
      digest,
      diffId,
      sizeBytes,
      uncompressedSizeBytes: input.sizeBytes,
      durationMs: Math.round(performance.now() - startedAtMs),
    });
    return layer;
  }
}
