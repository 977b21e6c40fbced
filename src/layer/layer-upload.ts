/** The life of one layer: is it there, what is its digest, send it, complete it, be sure. */

import type { LimitFunction } from 'p-limit';
import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import type { CompletedLayers } from './completed-layers.ts';
import { completeLayer } from './layer-completion.ts';
import type { LayerReceipt } from './layer-events.ts';
import type { LayerProgress } from './layer-progress.ts';
import type { LayerSource, OpenSource } from './layer-source.ts';
import { Lane } from './lane.ts';
import { LaneLost } from './lane-lost.ts';
import type { PartMemory } from './part-memory.ts';
import { planParts } from './part-plan.ts';
import { hashBeforehand } from './prehash.ts';
import {
  type FramePart,
  type LayerRegistry,
  type LayerWorkshop,
  RegistryFault,
  type UploadTarget,
} from './ports.ts';
import { callWithRetry, type OnRetry, type RetryPolicy } from './retry.ts';
import type { SingleFlight } from './single-flight.ts';
import { sourceEmpty } from './source-errors.ts';

/** What all layers of an uploader share. */
export interface LayerUploadContext {
  readonly registry: LayerRegistry;
  readonly workshop: LayerWorkshop;
  readonly framePart: FramePart;
  readonly memory: PartMemory;
  readonly partPermits: LimitFunction;
  readonly flights: SingleFlight;
  readonly completed: CompletedLayers;
  readonly partsInFlight: number;
  readonly partSizeBytes: number | undefined;
  readonly tailHoldMs: number;
  readonly retry: RetryPolicy;
  readonly createRepository: boolean;
}

export interface LayerOrder {
  readonly repository: string;
  readonly source: LayerSource;
  readonly expectedDigest: Digest | undefined;
  /**
   * How to find out beforehand whether ECR has the layer: ask it, not at all, or, where it was asked
   * already, by what this uploader has completed since (`CompletedLayers.mark`).
   */
  readonly presence: 'ask' | 'ignore' | { readonly completedSince: number };
}

type Outcome = Omit<LayerReceipt, 'repository' | 'source' | 'durationMs'>;

export class LayerUpload {
  readonly #context: LayerUploadContext;
  readonly #order: LayerOrder;
  readonly #progress: LayerProgress;
  readonly #signal: AbortSignal;
  #sentBytes = 0;

  constructor(
    context: LayerUploadContext,
    order: LayerOrder,
    progress: LayerProgress,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#order = order;
    this.#progress = progress;
    this.#signal = signal;
  }

  async run(): Promise<Outcome> {
    const { source } = this.#order;
    const opened = await source.open(this.#signal);
    try {
      this.#progress.sizeBytes = opened.sizeBytes;
      this.#progress.emit({
        type: 'layer-started',
        sizeBytes: opened.sizeBytes,
        digest: this.#order.expectedDigest ?? source.digest,
      });
      if (opened.sizeBytes === 0) throw sourceEmpty(source.label);
      // Too large a layer is told before anything is read or sent.
      planParts(opened.sizeBytes, PART_SIZE_REPORTED_BYTES, source.label);
      const digest = await this.#knownDigest(opened);
      if (digest === undefined) return await this.#upload(opened, undefined);
      return await this.#context.flights.run(
        `${this.#order.repository}@${digest}`,
        this.#signal,
        () => this.#uploadUnlessPresent(opened, digest),
        // Another call of this process has just uploaded it.
        (leader) => ({ ...leader, outcome: 'already-present', partCount: 0, sentBytes: 0 }),
      );
    } finally {
      await opened.close();
    }
  }

  /** The digest, if it can be known before the layer is sent. */
  async #knownDigest(opened: OpenSource): Promise<Digest | undefined> {
    const { expectedDigest, presence, source } = this.#order;
    let digest = expectedDigest ?? source.digest;
    if (digest === undefined && presence === 'ask' && opened.cheapToReread) {
      this.#progress.state = 'hashing';
      const { workshop, memory } = this.#context;
      const counter = this.#progress.hashedCounter;
      digest = await hashBeforehand(opened, source.label, workshop, memory, counter, this.#signal);
      this.#progress.emit({ type: 'layer-hashed', digest });
    }
    this.#progress.digest = digest;
    return digest;
  }

  async #uploadUnlessPresent(opened: OpenSource, digest: Digest): Promise<Outcome> {
    const sizeBytes = await this.#presentSize(opened, digest);
    if (sizeBytes !== undefined) {
      return { digest, sizeBytes, outcome: 'already-present', partCount: 0, sentBytes: 0 };
    }
    return this.#upload(opened, digest);
  }

  /** The layer's size, if it need not be sent. */
  async #presentSize(opened: OpenSource, digest: Digest): Promise<number | undefined> {
    const { presence, repository } = this.#order;
    if (presence === 'ignore') return undefined;
    if (presence !== 'ask') {
      return this.#context.completed.sizeOf(repository, digest, presence.completedSince);
    }
    this.#progress.state = 'checking';
    return (await this.#hasLayer(digest)) ? (opened.sizeBytes ?? 0) : undefined;
  }

  /** If ECR loses the upload, the layer starts again, once, from a source that can be read again. */
  async #upload(opened: OpenSource, digest: Digest | undefined): Promise<Outcome> {
    try {
      return await this.#uploadOnce(opened, digest);
    } catch (error) {
      if (!(error instanceof LaneLost)) throw error;
      if (!opened.rereadable) throw error.error;
      this.#progress.restarted();
      const { code, message } = error.error;
      this.#progress.emit({ type: 'layer-restarted', code, message });
    }
    const again = await this.#order.source.open(this.#signal);
    try {
      return await this.#uploadOnce(again, digest);
    } catch (error) {
      throw error instanceof LaneLost ? error.error : error;
    } finally {
      await again.close();
    }
  }

  async #uploadOnce(opened: OpenSource, expected: Digest | undefined): Promise<Outcome> {
    const context = this.#context;
    const order = this.#order;
    const progress = this.#progress;
    const signal = this.#signal;
    progress.state = 'sending';
    const { uploadId, partSizeBytes } = await this.#inRepository('InitiateLayerUpload', () =>
      context.registry.initiateUpload(order.repository, signal),
    );
    const target: UploadTarget = { repository: order.repository, uploadId };
    const preferred = context.partSizeBytes ?? partSizeBytes;
    const plan = planParts(opened.sizeBytes, preferred, order.source.label);
    progress.emit({
      type: 'upload-initiated',
      uploadId,
      partSizeBytes: plan.partSizeBytes,
      partCount: plan.partCount,
    });
    const hash = context.workshop.openHash(order.source.label);
    const lane = new Lane({
      ...context,
      target,
      plan,
      source: opened,
      sourceLabel: order.source.label,
      hash,
      progress,
    });
    progress.gauge = lane;
    try {
      const sent = await lane.run(signal);
      if (expected !== undefined && sent.digest !== expected) {
        await opened.assertUnchanged();
        throw digestMismatch(expected, sent.digest, order.source.label);
      }
      progress.digest = sent.digest;
      progress.state = 'completing';
      const outcome = await completeLayer(
        context.registry,
        target,
        sent.digest,
        context.retry,
        signal,
        (operation) => this.#onRetry(operation),
      );
      context.completed.add(order.repository, sent.digest, sent.sizeBytes);
      return { ...sent, outcome, sentBytes: this.#sentBytes + lane.sentBytes };
    } finally {
      this.#sentBytes += lane.sentBytes;
      hash.dispose();
    }
  }

  #hasLayer(digest: Digest): Promise<boolean> {
    return this.#inRepository('BatchCheckLayerAvailability', () =>
      this.#context.registry.hasLayer(this.#order.repository, digest, this.#signal),
    );
  }

  /** Calls with retries; creates the repository if it is missing and that is wanted. */
  async #inRepository<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const withRetry = (): Promise<T> =>
      callWithRetry(call, this.#context.retry, this.#signal, this.#onRetry(operation));
    try {
      return await withRetry().catch(async (error: unknown) => {
        const missing = error instanceof RegistryFault && error.kind === 'repository-missing';
        if (!missing || !this.#context.createRepository) throw error;
        const created = await callWithRetry(
          () => this.#context.registry.createRepository(this.#order.repository, this.#signal),
          this.#context.retry,
          this.#signal,
          this.#onRetry('CreateRepository'),
        );
        if (created) this.#progress.emit({ type: 'repository-created' });
        return withRetry();
      });
    } catch (error) {
      throw error instanceof RegistryFault ? error.error : error;
    }
  }

  #onRetry(operation: string): OnRetry {
    return (fault, attempt, delayMs) =>
      this.#progress.callRetried(operation, fault, attempt, delayMs);
  }
}

function digestMismatch(expected: Digest, actual: Digest, source: string): LongshoreError {
  return new LongshoreError(
    'E_DIGEST_MISMATCH',
    `${source} has the digest ${actual}, expected was ${expected}; nothing was completed. ` +
      'Check that the digest belongs to these bytes (a compressed layer and its diffID differ)',
    { expected, actual, source },
  );
}
