/** The one place where the stations are wired, and where they are closed. */

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import { type CallTally, EcrCaller } from '../ecr/ecr-caller.ts';
import { EcrRegistry } from '../ecr/ecr-registry.ts';
import { partFraming } from '../ecr/part-framing.ts';
import { type HttpHandler, RequestHandler } from '../ecr/request-handler.ts';
import { LongshoreError } from '../errors.ts';
import type { ImageStation, ImageStationParts } from './image-station.ts';
import type { ImageReceipt, ImageVerification } from '../image/image-events.ts';
import type { ImagePlan } from '../image/image-plan.ts';
import type {
  ImageCall,
  ImageRequest,
  VerificationCall,
  VerificationRequest,
} from '../image/image-request.ts';
import { CompletedLayers } from '../layer/completed-layers.ts';
import type { LayerEvent, LayerReceipt, UploaderSnapshot } from '../layer/layer-events.ts';
import { LayerQueue } from '../layer/layer-queue.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import { PartMemory } from '../layer/part-memory.ts';
import { SingleFlight } from '../layer/single-flight.ts';
import { WorkerPool } from '../pool/worker-pool.ts';
import { Workshop } from '../pool/workshop.ts';
import { journalsOf } from './journal-option.ts';
import {
  assertImageRequest,
  assertLayerRequest,
  assertVerificationRequest,
} from './request-check.ts';
import {
  connectionOf,
  resolveUploaderOptions,
  type ResolvedUploaderOptions,
  type UploaderOptions,
} from './uploader-options.ts';

/** One layer to upload. */
export interface LayerRequest {
  /** Repository name, without registry host or tag. */
  readonly repository: string;
  readonly source: LayerSource;
  /** Expected digest. Default: the source's, else computed. */
  readonly digest?: Digest;
  /**
   * Ask ECR whether it has the layer before sending. Default true. A file or bytes of unknown digest
   * are then hashed first, which costs one more read; false hashes on the way only.
   */
  readonly checkFirst?: boolean;
}

/** What belongs to one call. */
export interface UploadCall {
  /** Aborts this upload; it rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /**
   * Called synchronously with each event. It is never awaited, and what it throws is reported once
   * by a process warning and ignored.
   */
  readonly onEvent?: (event: LayerEvent) => void;
}

/** Uploads layers and images. Made by {@link createUploader}; must be closed. */
export interface Uploader extends AsyncDisposable {
  /**
   * Uploads one layer, or finds that ECR has it.
   * @throws LongshoreError with one of the codes in {@link ErrorDetails}; the signal's reason
   */
  uploadLayer(request: LayerRequest, call?: UploadCall): Promise<LayerReceipt>;
  /**
   * What a push would do, and why; nothing is sent. Layers that are not compressed yet are compressed,
   * since only then their digests are known.
   * @throws LongshoreError, as `pushImage`
   */
  planImage(request: ImageRequest, call?: ImageCall): Promise<ImagePlan>;
  /**
   * Pushes an image, an index or an artifact with all that is beneath it. Only what ECR lacks travels,
   * the largest layers first; manifests are put byte for byte, children before indexes.
   * A push that fails leaves what it has completed, for the next one to find.
   * @throws LongshoreError with one of the codes in {@link ErrorDetails}; the signal's reason
   */
  pushImage(request: ImageRequest, call?: ImageCall): Promise<ImageReceipt>;
  /**
   * Reads an image back from ECR and checks the digest and size of all that it is made of.
   * @throws LongshoreError E_VERIFICATION_FAILED with everything that was found; the signal's reason
   */
  verifyImage(request: VerificationRequest, call?: VerificationCall): Promise<ImageVerification>;
  /** What is under way, for a progress display; cheap. */
  snapshot(): UploaderSnapshot;
  /** Takes no new work, finishes what runs, then ends threads, sockets and timers. Idempotent. */
  close(): Promise<void>;
  /** Aborts what runs with `reason` (default: E_CLOSED), then as `close`. Idempotent. */
  destroy(reason?: unknown): Promise<void>;
}

/**
 * Makes an uploader. Threads and connections start with the first upload, and the AWS SDK is loaded then;
 * what only the SDK finds wrong with the settings is told by that upload (E_OPTION_INVALID).
 * @throws LongshoreError E_OPTION_INVALID
 */
export function createUploader(options: UploaderOptions = {}): Uploader {
  return new LayerUploader(resolveUploaderOptions(options));
}

class LayerUploader implements Uploader {
  readonly #pool: WorkerPool;
  readonly #caller: EcrCaller;
  readonly #layers: LayerQueue;
  readonly #images: ImageStationParts;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #imageStation: Promise<ImageStation> | undefined;
  #closing = false;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedUploaderOptions) {
    this.#pool = new WorkerPool(options.workersMax, options.workerUrl);
    const workshop = new Workshop(this.#pool, options.hasher);
    this.#caller = createCaller(options, workshop);
    const { createRepository } = options;
    const repositorySettings = typeof createRepository === 'object' ? createRepository : {};
    const registryOf = (tally?: CallTally): EcrRegistry =>
      new EcrRegistry(this.#caller, repositorySettings, tally);
    const retry = {
      attemptsMax: options.attemptsMax,
      delayMs: options.retryDelayMs,
      delayMsMax: options.retryDelayMsMax,
    };
    this.#layers = new LayerQueue(
      {
        registry: registryOf(),
        workshop,
        framePart: partFraming(options.registryId),
        memory: new PartMemory(options.bytesInMemoryMax),
        partPermits: pLimit(options.partsInFlightTotal),
        flights: new SingleFlight(),
        completed: new CompletedLayers(),
        partsInFlight: options.partsInFlight,
        partSizeBytes: options.partSizeBytes,
        tailHoldMs: options.tailHoldMs,
        retry,
        timeouts: options,
        sourceTimeoutMs: options.sourceTimeoutMs,
        createRepository: createRepository !== false,
        journals: journalsOf(options),
      },
      options.layersInFlight,
    );
    const layers = this.#layers;
    this.#images = { options, retry, caller: this.#caller, registryOf, workshop, layers };
  }

  async uploadLayer(request: LayerRequest, call: UploadCall = {}): Promise<LayerReceipt> {
    assertLayerRequest(request);
    const { repository, source, digest, checkFirst = true } = request;
    const presence = checkFirst ? 'ask' : 'ignore';
    const order = { repository, source, expectedDigest: digest, presence } as const;
    return this.#start(call.signal, (signal) => {
      // Something will be hashed in any case: the threads start while this one loads the AWS SDK.
      if ((digest ?? source.digest) === undefined || !checkFirst) this.#pool.warm();
      return this.#layers.run(order, signal, call.onEvent);
    });
  }

  async planImage(request: ImageRequest, call: ImageCall = {}): Promise<ImagePlan> {
    assertImageRequest(request);
    return withOwnDrain(call, (own) =>
      this.#start(call.signal, async (signal) =>
        (await this.#station()).plan(request, own, signal),
      ),
    );
  }

  async pushImage(request: ImageRequest, call: ImageCall = {}): Promise<ImageReceipt> {
    assertImageRequest(request);
    return withOwnDrain(call, (own) =>
      this.#start(call.signal, async (signal) =>
        (await this.#station()).push(request, own, signal),
      ),
    );
  }

  async verifyImage(
    request: VerificationRequest,
    call: VerificationCall = {},
  ): Promise<ImageVerification> {
    assertVerificationRequest(request);
    return this.#start(call.signal, async (signal) =>
      (await this.#station()).verify(request, call.onEvent, signal),
    );
  }

  snapshot(): UploaderSnapshot {
    return this.#layers.snapshot();
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#end();
    return this.#closed;
  }

  destroy(reason: unknown = closedError()): Promise<void> {
    this.#stop.abort(reason);
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#caller.destroy();
    await this.#pool.close();
  }

  /** Runs work under the caller's signal and our own; `close` waits for it. */
  async #start<T>(
    callSignal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    callSignal?.throwIfAborted();
    if (this.#closing) throw closedError();
    const abort = new AbortController();
    // Every layer of an image listens: no leak, so no warning of one.
    setMaxListeners(0, abort.signal);
    const unlink = [this.#stop.signal, callSignal].map((signal) => link(signal, abort));
    const running = work(abort.signal);
    this.#caller.warm();
    this.#running.add(running);
    void running
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(running);
        for (const undo of unlink) undo();
      });
    // An abort is answered at once, even if a disk or a name server keeps the clean-up waiting.
    return abortable(running, abort.signal);
  }

  /** Loaded with the first image: who uploads layers only should not pay for it. */
  #station(): Promise<ImageStation> {
    this.#imageStation ??= import('./image-station.ts').then(
      ({ ImageStation: Station }) => new Station(this.#images),
    );
    return this.#imageStation;
  }
}

function createCaller(options: ResolvedUploaderOptions, workshop: Workshop): EcrCaller {
  const { client, region, endpoint } = options;
  const custom = client.requestHandler;
  return new EcrCaller({
    client: {
      ...client,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
    },
    registryId: options.registryId,
    callsPerSecondMax: options.callsPerSecondMax,
    requestHandler: new RequestHandler(workshop, {
      proxy: options.proxy,
      connection: connectionOf(options),
      custom: custom !== undefined && 'handle' in custom ? (custom as HttpHandler) : undefined,
      customOptions: custom !== undefined && !('handle' in custom) ? custom : {},
    }),
  });
}

/** A caller's signal may live long: what hangs on it must not stay with it when the push has ended. */
async function withOwnDrain<T>(call: ImageCall, work: (call: ImageCall) => Promise<T>): Promise<T> {
  if (call.drainSignal === undefined) return work(call);
  const drain = new AbortController();
  const unlink = link(call.drainSignal, drain);
  try {
    return await work({ ...call, drainSignal: drain.signal });
  } finally {
    unlink();
  }
}

/** Aborts `abort` when `signal` does; returns what undoes the link. */
function link(signal: AbortSignal | undefined, abort: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const onAbort = (): void => abort.abort(signal.reason);
  // Many uploads may share a signal, with one listener each: no leak, so no warning of one.
  setMaxListeners(0, signal);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function closedError(): LongshoreError<'E_CLOSED'> {
  return new LongshoreError('E_CLOSED', 'the uploader is closed; create another one', {});
}
