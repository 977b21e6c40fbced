/** One upload id: begun, or taken up where an earlier process left it; its parts, and its Complete. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { needsSavedHash, sendingAfter, type UsableJournal } from './journalled-layer.ts';
import { Lane, type LaneOptions } from './lane.ts';
import { LaneLost } from './lane-lost.ts';
import { completeLayer } from './layer-completion.ts';
import type { LayerReceipt } from './layer-events.ts';
import type { JournalledProgress, LayerJournal } from './layer-journal.ts';
import type { LayerProgress } from './layer-progress.ts';
import { planParts } from './part-plan.ts';
import type { LayerHash } from './ports.ts';
import type { RepositoryCalls } from './repository-calls.ts';
import { Resumption } from './resumption.ts';
import type { LayerOrder, LayerUploadContext } from './upload-context.ts';
import type { WatchedSource } from './watched-source.ts';

export interface UploadAttemptOptions {
  readonly context: LayerUploadContext;
  readonly order: LayerOrder;
  readonly calls: RepositoryCalls;
  readonly progress: LayerProgress;
  readonly signal: AbortSignal;
  /** At its first byte. */
  readonly source: WatchedSource;
  readonly expected: Digest | undefined;
  readonly journal: LayerJournal | undefined;
  /** Where given, its upload is gone on with. */
  readonly found: UsableJournal['found'];
}

type Sent = Pick<LayerReceipt, 'digest' | 'sizeBytes' | 'outcome' | 'partCount' | 'resumedBytes'>;

const AT_START: JournalledProgress = { endByte: 0, partCount: 0, savedHash: undefined };

export class UploadAttempt {
  readonly #options: UploadAttemptOptions;
  #sentBytes = 0;
  #resumedBytes = 0;

  constructor(options: UploadAttemptOptions) {
    this.#options = options;
  }

  /** Layer bytes handed to the wire, repeats included. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** @throws LaneLost if a new upload is needed; LongshoreError otherwise; the signal's reason */
  async run(): Promise<Sent> {
    const { context, order, source, journal, found } = this.#options;
    const isPortable = journal !== undefined && needsSavedHash(source);
    const portable = isPortable ? { saved: found?.savedHash } : undefined;
    const hash = context.workshop.openHash(order.source.label, portable);
    try {
      const isHashRestored = portable?.saved !== undefined;
      return await this.#send(
        await (found === undefined ? this.#begin(hash) : this.#resume(hash, found, isHashRestored)),
      );
    } catch (error) {
      // Bytes of an earlier process may not have been the same after all.
      const isSuspect = found !== undefined && LongshoreError.is(error, 'E_LAYER_REJECTED');
      const failure = isSuspect ? new LaneLost(error) : error;
      if (found !== undefined && isUploadLost(failure)) await journal?.discard();
      throw failure;
    } finally {
      hash.dispose();
    }
  }

  async #begin(hash: LayerHash): Promise<LaneOptions> {
    const { context, calls, progress, source, journal } = this.#options;
    progress.state = 'sending';
    const { uploadId, partSizeBytes } = await calls.initiateUpload();
    const sending = this.#sending(hash, uploadId, context.partSizeBytes ?? partSizeBytes);
    const { plan } = sending;
    progress.emit({
      type: 'upload-initiated',
      uploadId,
      partSizeBytes: plan.partSizeBytes,
      partCount: plan.partCount,
    });
    if (journal === undefined) return sending;
    if (plan.partCount === 1) {
      // Nothing to resume here; what is told of another upload would only mislead.
      await journal.discard();
      return sending;
    }
    const { sizeBytes, file } = source;
    const begun = journal.begin({ uploadId, partSizeBytes: plan.partSizeBytes, sizeBytes, file });
    return { ...sending, registry: sendingAfter(begun, context.registry) };
  }

  async #resume(
    hash: LayerHash,
    found: NonNullable<UsableJournal['found']>,
    isHashRestored: boolean,
  ): Promise<LaneOptions> {
    const { journal, signal } = this.#options;
    const sending = this.#sending(hash, found.uploadId, found.partSizeBytes);
    const resumption = new Resumption({ ...sending, reached: found, isHashRestored });
    try {
      const start = await resumption.run(signal);
      journal?.note(start);
      this.#resumedBytes = resumption.resumedBytes;
      return { ...sending, start };
    } finally {
      this.#sentBytes += resumption.sentBytes;
    }
  }

  /** @param partSizeBytes what the caller or ECR prefers, or what an earlier process went by */
  #sending(hash: LayerHash, uploadId: string, partSizeBytes: number): LaneOptions {
    const { context, order, progress, source, journal } = this.#options;
    return {
      ...context,
      target: { repository: order.repository, uploadId },
      plan: planParts(source.sizeBytes, partSizeBytes, order.source.label),
      source,
      sourceLabel: order.source.label,
      hash,
      journal,
      progress,
      start: AT_START,
    };
  }

  /** Sends what is left, completes the layer, and is sure. */
  async #send(sending: LaneOptions): Promise<Sent> {
    const { context, order, calls, progress, signal, source, expected } = this.#options;
    const resumedBytes = this.#resumedBytes;
    const lane = new Lane(sending);
    progress.gauge = lane;
    try {
      const sent = await lane.run(signal);
      if (expected !== undefined && sent.digest !== expected) {
        await source.assertUnchanged();
        throw digestMismatch(expected, sent.digest, order.source.label);
      }
      progress.digest = sent.digest;
      progress.state = 'completing';
      const outcome = await progress.during('call', 'CompleteLayerUpload', () =>
        completeLayer(
          context.registry,
          sending.target,
          sent.digest,
          context.retry,
          signal,
          (operation) => calls.onRetry(operation),
          resumedBytes > 0,
        ),
      );
      context.completed.add(order.repository, sent.digest, sent.sizeBytes);
      return { ...sent, outcome, resumedBytes };
    } finally {
      this.#sentBytes += lane.sentBytes;
    }
  }
}

/** With a thread only the digest is lost, not the upload. */
function isUploadLost(error: unknown): boolean {
  return error instanceof LaneLost && error.error.code !== 'E_WORKER_LOST';
}

function digestMismatch(expected: Digest, actual: Digest, source: string): LongshoreError {
  return new LongshoreError(
    'E_DIGEST_MISMATCH',
    `${source} has the digest ${actual}, expected was ${expected}; nothing was completed. ` +
      'Check that the digest belongs to these bytes (a compressed layer and its diffID differ)',
    { expected, actual, source },
  );
}
