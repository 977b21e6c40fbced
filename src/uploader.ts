/** The one place where the stations are wired, and where they are closed. */

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { abortable } from './abort.ts';
import { type Digest, isDigest } from './digest.ts';
import { EcrRegistry } from './ecr/ecr-registry.ts';
import { partFraming } from './ecr/part-framing.ts';
import { type HttpHandler, RequestHandler } from './ecr/request-handler.ts';
import { LongshoreError } from './errors.ts';
import type { LayerEvent, LayerReceipt, UploaderSnapshot } from './layer/layer-events.ts';
import { LayerProgress } from './layer/layer-progress.ts';
import type { LayerSource } from './layer/layer-source.ts';
import { LayerUpload, type LayerUploadContext } from './layer/layer-upload.ts';
import { PartMemory } from './layer/part-memory.ts';
import { takePermit } from './layer/permit.ts';
import { SingleFlight } from './layer/single-flight.ts';
import { WorkerPool } from './pool/worker-pool.ts';
import { Workshop } from './pool/workshop.ts';
import {
  optionInvalid,
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

/** Uploads layers. Made by {@link createUploader}; must be closed. */
export interface Uploader extends AsyncDisposable {
  /**
   * Uploads one layer, or finds that ECR has it.
   * @throws LongshoreError with one of the codes in {@link ErrorDetails}; the signal's reason
   */
  uploadLayer(request: LayerRequest, call?: UploadCall): Promise<LayerReceipt>;
  /** What is under way, for a progress display; cheap. */
  snapshot(): UploaderSnapshot;
  /** Takes no new work, finishes what runs, then ends threads, sockets and timers. Idempotent. */
  close(): Promise<void>;
  /** Aborts what runs with `reason` (default: E_CLOSED), then as `close`. Idempotent. */
  destroy(reason?: unknown): Promise<void>;
}

/**
 * Makes an uploader. Threads and connections start with the first upload.
 * @throws LongshoreError E_OPTION_INVALID
 */
export function createUploader(options: UploaderOptions = {}): Uploader {
  return new LayerUploader(resolveUploaderOptions(options));
}

/** ECR's pattern for repository names (model, H), and its length limits. */
const REPOSITORY_NAME =
  /^(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REPOSITORY_NAME_LENGTH = { min: 2, max: 256 };

class LayerUploader implements Uploader {
  readonly #pool: WorkerPool;
  readonly #registry: EcrRegistry;
  readonly #context: LayerUploadContext;
  readonly #layerPermits: ReturnType<typeof pLimit>;
  readonly #layers = new Set<LayerProgress>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  readonly #totals = { acceptedBytes: 0, resentBytes: 0 };
  readonly #counts = { uploaded: 0, 'already-present': 0, failed: 0 };
  #lastLayerId = 0;
  #closing = false;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedUploaderOptions) {
    this.#pool = new WorkerPool(options.workersMax, options.workerUrl);
    const workshop = new Workshop(this.#pool, options.hasher);
    this.#registry = createRegistry(options, workshop);
    this.#layerPermits = pLimit(options.layersInFlight);
    this.#context = {
      registry: this.#registry,
      workshop,
      framePart: partFraming(options.registryId),
      memory: new PartMemory(options.bytesInMemoryMax),
      partPermits: pLimit(options.partsInFlightTotal),
      flights: new SingleFlight(),
      partsInFlight: options.partsInFlight,
      partSizeBytes: options.partSizeBytes,
      tailHoldMs: options.tailHoldMs,
      retry: {
        attemptsMax: options.attemptsMax,
        delayMs: options.retryDelayMs,
        delayMsMax: options.retryDelayMsMax,
      },
      createRepository: options.createRepository !== false,
    };
  }

  async uploadLayer(request: LayerRequest, call: UploadCall = {}): Promise<LayerReceipt> {
    assertRequest(request);
    call.signal?.throwIfAborted();
    if (this.#closing) throw closedError();
    this.#lastLayerId += 1;
    const name = {
      repository: request.repository,
      source: request.source.label,
      layerId: this.#lastLayerId,
    };
    const progress = new LayerProgress(name, this.#totals, call.onEvent);
    const abort = new AbortController();
    const unlink = [this.#stop.signal, call.signal].map((signal) => link(signal, abort));
    const running = this.#run(request, progress, abort.signal);
    this.#layers.add(progress);
    this.#running.add(running);
    void running
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(running);
        this.#layers.delete(progress);
        for (const undo of unlink) undo();
      });
    // An abort is answered at once, even if a disk or a name server keeps the clean-up waiting.
    return abortable(running, abort.signal);
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
    this.#registry.destroy();
    await this.#pool.close();
  }

  async #run(
    request: LayerRequest,
    progress: LayerProgress,
    signal: AbortSignal,
  ): Promise<LayerReceipt> {
    const startedAtMs = performance.now();
    const { repository, source } = request;
    const order = {
      repository,
      source,
      expectedDigest: request.digest,
      checkFirst: request.checkFirst ?? true,
    };
    try {
      const givePermitBack = await takePermit(this.#layerPermits, signal);
      try {
        const outcome = await new LayerUpload(this.#context, order, progress, signal).run();
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
      progress.emit({
        type: 'layer-failed',
        code: LongshoreError.is(error) && !signal.aborted ? error.code : 'ABORTED',
        message: error instanceof Error ? error.message : String(error),
      });
      throw error;
    }
  }
}

function createRegistry(options: ResolvedUploaderOptions, workshop: Workshop): EcrRegistry {
  const { client, region, endpoint, createRepository } = options;
  const custom = client.requestHandler;
  return new EcrRegistry({
    client: {
      ...client,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
    },
    registryId: options.registryId,
    repositorySettings: typeof createRepository === 'object' ? createRepository : {},
    requestHandler: new RequestHandler(workshop, {
      proxy: options.proxy,
      connection: {
        certificateAuthorities: options.certificateAuthorities,
        connectTimeoutMs: options.connectTimeoutMs,
        stallTimeoutMs: options.stallTimeoutMs,
        replyTimeoutMs: options.replyTimeoutMs,
      },
      custom: custom !== undefined && 'handle' in custom ? (custom as HttpHandler) : undefined,
      customOptions: custom !== undefined && !('handle' in custom) ? custom : {},
    }),
  });
}

function assertRequest({ repository, source, digest }: LayerRequest): void {
  const { min, max } = REPOSITORY_NAME_LENGTH;
  if (repository.length < min || repository.length > max || !REPOSITORY_NAME.test(repository)) {
    throw optionInvalid(
      'repository',
      `a repository name of ${min} to ${max} lower-case characters, without registry host or tag`,
      repository,
    );
  }
  if (typeof source?.open !== 'function') {
    throw optionInvalid(
      'source',
      'fileSource(), bytesSource(), streamSource(), ...',
      typeof source,
    );
  }
  for (const value of [digest, source.digest]) {
    if (value !== undefined && !isDigest(value)) {
      throw optionInvalid('digest', "'sha256:' and 64 hexadecimal digits", String(value));
    }
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
