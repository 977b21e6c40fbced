/** Where plans, pushes and verifications of images are wired to sources, threads and ECR. */

import { setMaxListeners } from 'node:events';
import { abortable } from '../abort.ts';
import type { CallTally, EcrCaller } from '../ecr/ecr-caller.ts';
import { toRegistryFault } from '../ecr/ecr-fault.ts';
import { EcrImageRegistry } from '../ecr/ecr-image-registry.ts';
import type { EcrRegistry } from '../ecr/ecr-registry.ts';
import { failureOf } from '../errors.ts';
import { ImageWorkplace } from './image-workplace.ts';
import { resolveCompression } from '../image/compression.ts';
import { assertSupported } from '../image/image-check.ts';
import { emitImage, forCaller, type ImageContext } from '../image/image-context.ts';
import type {
  ImageEvent,
  ImageReceipt,
  ImageVerification,
  VerificationEvent,
} from '../image/image-events.ts';
import { type ImageGraph, readGraph } from '../image/image-graph.ts';
import type { ImagePlan } from '../image/image-plan.ts';
import { ImagePush } from '../image/image-push.ts';
import type { ImageCall, ImageRequest, VerificationRequest } from '../image/image-request.ts';
import type { OpenImage } from '../image/image-source.ts';
import { fromSource } from '../image/source-guard.ts';
import { ImageVerifier } from '../image/image-verifier.ts';
import type { PushHooks } from '../image/push-hooks.ts';
import { planPush } from '../image/push-plan.ts';
import { EventSink } from '../layer/event-sink.ts';
import { TransmissionError } from '../layer/part-transmitter.ts';
import { RegistryFault } from '../layer/ports.ts';
import type { LayerQueue } from '../layer/layer-queue.ts';
import type { RetryPolicy } from '../layer/retry.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { proxyFor } from '../network/proxy.ts';
import type { Workshop } from '../pool/workshop.ts';
import { TemporaryFolder } from './temporary-folder.ts';
import { connectionOf, type ResolvedUploaderOptions } from './uploader-options.ts';

/** What images share with layers. */
export interface ImageStationParts {
  readonly options: ResolvedUploaderOptions;
  readonly retry: RetryPolicy;
  readonly caller: EcrCaller;
  /** @param newRepository default: as the options have it */
  readonly registryOf: (
    newRepository: ImageRequest['createRepository'],
    tally: CallTally,
  ) => EcrRegistry;
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
  readonly #workplace: ImageWorkplace;
  #lastImageId = 0;

  constructor(parts: ImageStationParts) {
    this.#parts = parts;
    const { workshop, layers, options } = parts;
    this.#workplace = new ImageWorkplace(workshop, layers, options.workersMax);
  }

  plan(
    request: ImageRequest,
    { onEvent, drainSignal }: ImageCall,
    signal: AbortSignal,
  ): Promise<ImagePlan> {
    const job = this.#job(request, onEvent, either(signal, drainSignal));
    return this.#withImage(job, (image, graph) => this.#planOf(job, image, graph));
  }

  /** @param hooks for callers of our own */
  async push(
    request: ImageRequest,
    { onEvent, drainSignal }: ImageCall,
    signal: AbortSignal,
    hooks: PushHooks = {},
  ): Promise<ImageReceipt> {
    const startedAtMs = performance.now();
    const { workshop } = this.#parts;
    // Until bytes travel there is nothing that would have to be finished.
    const job = this.#job(request, onEvent, either(signal, drainSignal), () => workshop.warm());
    const receipt = await this.#withImage(job, async (image, graph) => {
      const plan = await this.#planOf(job, image, graph);
      emitImage(job.context, { type: 'image-planned', plan });
      if (hooks.beforeTransfer !== undefined) {
        await abortable(hooks.beforeTransfer(plan), job.signal);
      }
      const push = new ImagePush(image, graph, plan, job.context, signal, drainSignal, hooks);
      return push.run(startedAtMs);
    });
    emitImage(job.context, { type: 'image-completed', receipt });
    return receipt;
  }

  async verify(
    request: VerificationRequest,
    onEvent: ((event: VerificationEvent) => void) | undefined,
    signal: AbortSignal,
  ): Promise<ImageVerification> {
    const { repository, image } = request;
    const { options, workshop } = this.#parts;
    const connection = connectionOf(options);
    const { context } = this.#job({ repository, image: image ?? NO_IMAGE }, undefined, signal);
    const verifier = new ImageVerifier({
      context,
      reference: request.reference,
      referrers: request.referrers ?? false,
      sink: new EventSink(onEvent),
      blobsInFlight: options.layersInFlight,
      readBlob: async (url, sizeBytes, blobSignal) => {
        try {
          const proxyUrl = proxyFor(url, options.proxy);
          return await workshop.download(url, sizeBytes, { ...connection, proxyUrl }, blobSignal);
        } catch (error) {
          throw blobSignal.aborted ? blobSignal.reason : downloadFault(error, repository);
        }
      },
      signal,
    });
    if (image === undefined) return verifier.run(undefined);
    return this.#withGraph({ ...request, image }, context, NO_EVENTS, signal, (_image, graph) =>
      verifier.run(graph),
    );
  }

  #job(
    request: ImageRequest,
    onEvent: ((event: ImageEvent) => void) | undefined,
    signal: AbortSignal,
    expectUploads?: () => void,
  ): Job {
    const { options, retry, caller, registryOf, layers } = this.#parts;
    const tally: CallTally = new Map();
    const sink = new EventSink(onEvent);
    const { repository, createRepository: newRepository = options.createRepository } = request;
    const registry = registryOf(newRepository, tally);
    const createRepository = newRepository !== false;
    const completedSince = layers.completedMark;
    this.#lastImageId += 1;
    const context: ImageContext = {
      name: { repository, image: request.image.label, imageId: this.#lastImageId },
      registry: new EcrImageRegistry(caller, registry, tally),
      retry,
      createRepository,
      partSizeBytes: options.partSizeBytes ?? PART_SIZE_REPORTED_BYTES,
      tally,
      sink,
      expectUploads,
      uploadBlob: (source, { digest, sizeBytes }, again, uploadSignal, beginSignal) => {
        const presence = again ? 'ignore' : { completedSince };
        const order = { repository, source, expectedDigest: digest, presence } as const;
        return layers.run(order, uploadSignal, (event) => sink.emit(event), {
          registry,
          createRepository,
          sizeBytes,
          beginSignal,
        });
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
    return forCaller(planPush(graph, [...new Set(request.tags)], context, signal));
  }

  async #withImage<T>(
    { request, context, signal }: Job,
    use: (image: OpenImage, graph: ImageGraph) => Promise<T>,
  ): Promise<T> {
    try {
      emitImage(context, { type: 'image-started' });
      return await this.#withGraph(request, context, context.sink, signal, use);
    } catch (error) {
      emitImage(context, { type: 'image-failed', ...failureOf(error, signal.aborted) });
      throw error;
    }
  }

  /** Opens an image, reads its graph, and cleans up whatever happens. */
  async #withGraph<T>(
    request: Pick<ImageRequest, 'image' | 'platforms' | 'referrers' | 'compression'>,
    context: ImageContext,
    sink: EventSink<ImageEvent>,
    signal: AbortSignal,
    use: (image: OpenImage, graph: ImageGraph) => Promise<T>,
  ): Promise<T> {
    const { image: source, platforms = [], referrers = false, compression } = request;
    const folder = new TemporaryFolder(this.#parts.options.temporaryDirectory);
    try {
      const user = { name: context.name, sink };
      const chosen = resolveCompression(compression);
      const sourceContext = this.#workplace.contextFor(user, chosen, folder);
      const image = await fromSource(source.label, signal, () =>
        source.open(sourceContext, signal),
      );
      try {
        const options = { source: source.label, platforms, referrers };
        return await use(image, await readGraph(image, options, signal));
      } finally {
        // What was done is done: that the source could not be closed does not undo it.
        await image.close().catch(() => undefined);
      }
    } finally {
      await folder.remove();
    }
  }
}

/** What is not there, or not to be had, is a finding of a verification; the rest may pass. */
function downloadFault(error: unknown, repository: string): RegistryFault {
  const fault = toRegistryFault(error, { operation: 'GET of a blob', repository });
  const status = error instanceof TransmissionError ? error.httpStatus : undefined;
  return status === 404 || status === 403
    ? new RegistryFault('layers-missing', fault.error)
    : fault;
}

function either(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  if (other === undefined) return signal;
  const both = AbortSignal.any([signal, other]);
  setMaxListeners(0, both);
  return both;
}

const NO_EVENTS = new EventSink<ImageEvent>(undefined);

/** A verification without a source opens none. */
const NO_IMAGE: ImageRequest['image'] = {
  label: 'the repository',
  open: () => Promise.reject(new Error('there is no source to open')),
};
