/** The public face of the engine: layers and images into one registry. */

import type { Digest } from '../digest.ts';
import type { ImageReceipt, ImageVerification } from '../image/image-events.ts';
import type { ImagePlan } from '../image/image-plan.ts';
import type {
  ImageCall,
  ImageRequest,
  VerificationCall,
  VerificationRequest,
} from '../image/image-request.ts';
import type { LayerEvent, LayerReceipt, UploaderSnapshot } from '../layer/layer-events.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import {
  assertImageRequest,
  assertLayerRequest,
  assertVerificationRequest,
} from './request-check.ts';
import { RegistryWork } from './registry-work.ts';
import { RunningWork, withOwnDrain } from './running-work.ts';
import {
  openRegistryStations,
  openSharedStations,
  type RegistryStations,
  type SharedStations,
} from './stations.ts';
import {
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
  readonly #shared: SharedStations;
  readonly #own: RegistryStations;
  readonly #running: RunningWork;
  readonly #work: RegistryWork;

  constructor(options: ResolvedUploaderOptions) {
    this.#shared = openSharedStations(options);
    this.#own = openRegistryStations(options, this.#shared);
    this.#running = new RunningWork(async () => {
      await this.#own.caller.destroy();
      await this.#shared.pool.close();
    });
    this.#work = new RegistryWork(this.#own, this.#running);
  }

  async uploadLayer(request: LayerRequest, call: UploadCall = {}): Promise<LayerReceipt> {
    assertLayerRequest(request);
    const { repository, source, digest, checkFirst = true } = request;
    const presence = checkFirst ? 'ask' : 'ignore';
    const order = { repository, source, expectedDigest: digest, presence } as const;
    return this.#work.start(call.signal, (signal) => {
      // Something will be hashed in any case: the threads start while this one loads the AWS SDK.
      if ((digest ?? source.digest) === undefined || !checkFirst) this.#shared.pool.warm();
      return this.#own.layers.run(order, signal, call.onEvent);
    });
  }

  async planImage(request: ImageRequest, call: ImageCall = {}): Promise<ImagePlan> {
    assertImageRequest(request);
    return withOwnDrain(call, (own) =>
      this.#work.start(call.signal, async (signal) =>
        (await this.#work.images()).plan(request, own, signal),
      ),
    );
  }

  async pushImage(request: ImageRequest, call: ImageCall = {}): Promise<ImageReceipt> {
    assertImageRequest(request);
    return withOwnDrain(call, (own) =>
      this.#work.start(call.signal, async (signal) =>
        (await this.#work.images()).push(request, own, signal),
      ),
    );
  }

  async verifyImage(
    request: VerificationRequest,
    call: VerificationCall = {},
  ): Promise<ImageVerification> {
    assertVerificationRequest(request);
    return this.#work.start(call.signal, async (signal) =>
      (await this.#work.images()).verify(request, call.onEvent, signal),
    );
  }

  snapshot(): UploaderSnapshot {
    return this.#own.layers.snapshot();
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  destroy(reason?: unknown): Promise<void> {
    return this.#running.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
