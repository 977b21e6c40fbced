/** Where plans, pushes and verifications of images are wired to sources, threads and ECR. */

import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Digest } from './digest.ts';
import type { CallTally, EcrCaller } from './ecr/ecr-caller.ts';
import { toRegistryFault } from './ecr/ecr-fault.ts';
import { EcrImageRegistry } from './ecr/ecr-image-registry.ts';
import type { EcrRegistry } from './ecr/ecr-registry.ts';
import { resolveCompression } from './image/compression.ts';
import { assertSupported } from './image/image-check.ts';
import { emitImage, errorOf, type ImageContext } from './image/image-context.ts';
import type {
  ImageEvent,
  ImageReceipt,
  ImageVerification,
  VerificationEvent,
} from './image/image-events.ts';
import { type ImageGraph, readGraph } from './image/image-graph.ts';
import type { ImagePlan } from './image/image-plan.ts';
import { failureOf, ImagePush } from './image/image-push.ts';
import type { ImageRequest, VerificationRequest } from './image/image-request.ts';
import type { CompressedLayer, ImageSourceContext, OpenImage } from './image/image-source.ts';
import { ImageVerifier } from './image/image-verifier.ts';
import { planPush } from './image/push-plan.ts';
import { EventSink } from './layer/event-sink.ts';
import type { LayerQueue } from './layer/layer-queue.ts';
import type { FileRange } from './layer/ports.ts';
import type { RetryPolicy } from './layer/retry.ts';
import { PART_SIZE_REPORTED_BYTES } from './limits.ts';
import { proxyFor } from './network/proxy.ts';
import type { Workshop } from './pool/workshop.ts';
import { TemporaryFolder } from './temporary-folder.ts';
import { connectionOf, type ResolvedUploaderOptions } from './uploader-options.ts';

/** What images share with layers. */
export interface ImageStationParts {
  readonly options: ResolvedUploaderOptions;
  readonly retry: RetryPolicy;
  readonly caller: EcrCaller;
  readonly registryOf: (tally: CallTally) => EcrRegistry;
  readonly workshop: Workshop;
  readonly layers: LayerQueue;
}

interface Job {
  readonly request: ImageRequest;
  readonly context: ImageContext;
  readonly signal: AbortSignal;
}

export class ImageStation {
  readonly #parts: ImageStationParts;
  /** A thread compresses one layer at a time; more at once would only take memory. */
  readonly #compressions: ReturnType<typeof pLimit>;
  #lastImageId = 0;

  constructor(parts: ImageStationParts) {
    this.#parts = parts;
    this.#compressions = pLimit(parts.options.workersMax);
  }

  plan(
    request: ImageRequest,
    onEvent: ((event: ImageEvent) => void) | undefined,
    signal: AbortSignal,
  ): Promise<ImagePlan> {
    const job = this.#job(request, onEvent, signal);
    return this.#withImage(job, (image, graph) => this.#planOf(job, image, graph));
  }

  push(
    request: ImageRequest,
    onEvent: ((event: ImageEvent) => void) | undefined,
    signal: AbortSignal,
  ): Promise<ImageReceipt> {
    const startedAtMs = performance.now();
    const job = this.#job(request, onEvent, signal);
    return this.#withImage(job, async (image, graph) => {
      const plan = await this.#planOf(job, image, graph);
      emitImage(job.context, { type: 'image-planned', plan });
      const push = new ImagePush(image, graph, plan, job.context, signal);
      const receipt = await push.run(startedAtMs);
      emitImage(job.context, { type: 'image-completed', receipt });
      return receipt;
    });
  }

  async verify(
    request: VerificationRequest,
    onEvent: ((event: VerificationEvent) => void) | undefined,
    signal: AbortSignal,
  ): Promise<ImageVerification> {
    const { repository, image, platforms } = request;
    const { options, workshop } = this.#parts;
    const connection = connectionOf(options);
    const { context } = this.#job(
      { repository, image: image ?? NO_IMAGE, ...(platforms !== undefined && { platforms }) },
      undefined,
      signal,
    );
    const verifier = new ImageVerifier({
      context,
      reference: request.reference,
      sink: new EventSink(onEvent),
      blobsInFlight: options.layersInFlight,
      readBlob: async (url, sizeBytes) => {
        const call = { operation: 'GET', repository };
        try {
          const proxyUrl = proxyFor(url, options.proxy);
          return await workshop.download(url, sizeBytes, { ...connection, proxyUrl }, signal);
        } catch (error) {
          throw signal.aborted ? signal.reason : toRegistryFault(error, call);
        }
      },
      signal,
    });
    if (image === undefined) return verifier.run(undefined);
    const folder = new TemporaryFolder(options.temporaryDirectory);
    try {
      const opened = await image.open(
        this.#sourceContext(request, context, folder, () => undefined),
        signal,
      );
      try {
        const graph = await readGraph(
          opened,
          { source: image.label, platforms: platforms ?? [], referrers: false },
          signal,
        );
        return await verifier.run(graph);
      } finally {
        await opened.close();
      }
    } finally {
      await folder.remove();
    }
  }

  #job(
    request: ImageRequest,
    onEvent: ((event: ImageEvent) => void) | undefined,
    signal: AbortSignal,
  ): Job {
    const { options, retry, caller, registryOf, layers } = this.#parts;
    const tally: CallTally = new Map();
    const registry = registryOf(tally);
    const sink = new EventSink(onEvent);
    const { repository } = request;
    this.#lastImageId += 1;
    const context: ImageContext = {
      name: { repository, image: request.image.label, imageId: this.#lastImageId },
      registry: new EcrImageRegistry(caller, registry, tally),
      retry,
      createRepository: options.createRepository !== false,
      partSizeBytes: options.partSizeBytes ?? PART_SIZE_REPORTED_BYTES,
      tally,
      sink,
      uploadBlob: (source, digest, again, uploadSignal) => {
        const presence = again ? 'ignore' : 'remember';
        const order = { repository, source, expectedDigest: digest, presence } as const;
        return layers.run(order, uploadSignal, (event) => sink.emit(event), registry);
      },
    };
    return { request, context, signal };
  }

  async #planOf(
    { request, context, signal }: Job,
    image: OpenImage,
    graph: ImageGraph,
  ): Promise<ImagePlan> {
    assertSupported(graph, context.name.image);
    try {
      return await planPush(graph, [...new Set(request.tags)], context, signal);
    } catch (error) {
      throw errorOf(error);
    }
  }

  /** Opens the image, reads its graph, and cleans up whatever happens. */
  async #withImage<T>(
    { request, context, signal }: Job,
    use: (image: OpenImage, graph: ImageGraph) => Promise<T>,
  ): Promise<T> {
    const { image: source, platforms = [], referrers = false } = request;
    const folder = new TemporaryFolder(this.#parts.options.temporaryDirectory);
    try {
      emitImage(context, { type: 'image-started' });
      const sourceContext = this.#sourceContext(request, context, folder, (event) =>
        context.sink.emit(event),
      );
      const image = await source.open(sourceContext, signal);
      try {
        const options = { source: source.label, platforms, referrers };
        return await use(image, await readGraph(image, options, signal));
      } finally {
        await image.close();
      }
    } catch (error) {
      emitImage(context, { type: 'image-failed', ...failureOf(error, signal.aborted) });
      throw error;
    } finally {
      await folder.remove();
    }
  }

  #sourceContext(
    request: Pick<ImageRequest, 'compression'>,
    context: ImageContext,
    folder: TemporaryFolder,
    emit: (event: ImageEvent) => void,
  ): ImageSourceContext {
    const compression = resolveCompression(request.compression);
    let lastFile = 0;
    return {
      compression,
      temporaryDirectory: () => folder.path(),
      hash: (input, signal) => this.#hash(input, context, signal),
      compress: async (input, signal) => {
        lastFile += 1;
        const name = `${lastFile}.layer`;
        const path = join(await folder.path(), name);
        return this.#compress(input, path, compression, context, signal, emit);
      },
    };
  }

  async #hash(input: FileRange, context: ImageContext, signal: AbortSignal): Promise<Digest> {
    const { layers, workshop } = this.#parts;
    const progress = layers.track(context.name.repository, input.label);
    progress.sizeBytes = input.sizeBytes;
    progress.state = 'hashing';
    try {
      return await workshop.hashFile(input, progress.hashedCounter, signal);
    } finally {
      layers.untrack(progress);
    }
  }

  async #compress(
    input: FileRange,
    path: string,
    compression: ImageSourceContext['compression'],
    context: ImageContext,
    signal: AbortSignal,
    emit: (event: ImageEvent) => void,
  ): Promise<CompressedLayer> {
    const { layers, workshop } = this.#parts;
    const { label: source, sizeBytes: uncompressedSizeBytes } = input;
    const progress = layers.track(context.name.repository, source);
    progress.sizeBytes = uncompressedSizeBytes;
    try {
      return await this.#compressions(async () => {
        signal.throwIfAborted();
        progress.state = 'compressing';
        const startedAtMs = performance.now();
        const layer = await workshop.compress(
          input,
          path,
          compression,
          progress.hashedCounter,
          signal,
        );
        const durationMs = Math.round(performance.now() - startedAtMs);
        const { digest, diffId, sizeBytes } = layer;
        emit({
          ...context.name,
          type: 'layer-compressed',
          source,
          digest,
          diffId,
          sizeBytes,
          uncompressedSizeBytes,
          durationMs,
        });
        return layer;
      });
    } finally {
      layers.untrack(progress);
    }
  }
}

/** A verification without a source opens none. */
const NO_IMAGE: ImageRequest['image'] = {
  label: 'the repository',
  open: () => Promise.reject(new Error('there is no source to open')),
};
