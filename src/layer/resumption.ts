/**
 * Takes up the upload of an earlier process: brings source and digest to where the registry is, and
 * finds out where that is.
 *
 * The journal may be behind, for acknowledgements do not wait for the disk, and the part after the last
 * acknowledgement may have landed. So the first part the journal knows nothing of is sent alone. Either
 * the registry takes it, or it names the first byte that it lacks: then what lies between is read but not
 * sent. So one part at most goes over the wire for nothing.
 */

import { type ErrorCode, LongshoreError } from '../errors.ts';
import { LaneLost } from './lane-lost.ts';
import type { JournalledProgress } from './layer-journal.ts';
import type { LayerProgress } from './layer-progress.ts';
import { otherByte } from './part-fault.ts';
import { partGauge } from './part-gauge.ts';
import { type PartPreparationOptions, preparePart } from './part-preparation.ts';
import { type ByteRange, type LayerRegistry, type PreparedPart, RegistryFault } from './ports.ts';
import { callWithRetry, type RetryPolicy } from './retry.ts';
import { foldSource } from './source-fold.ts';

export interface ResumptionOptions extends PartPreparationOptions {
  readonly registry: Pick<LayerRegistry, 'sendPart'>;
  readonly retry: RetryPolicy;
  readonly progress: LayerProgress;
  /** Where the journal says the registry is at least. */
  readonly reached: JournalledProgress;
  /** Whether the hash goes on from the saved state: then the bytes before are not folded again. */
  readonly isHashRestored: boolean;
}

/**
 * Refused for good, but perhaps only in this upload: a new one will tell. What concerns access, keys or
 * the repository is not among them; the upload can be gone on with when that is mended.
 */
const UPLOAD_REFUSED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_LAYER_REJECTED',
  'E_PART_REJECTED',
  'E_REGISTRY_PROTOCOL',
  'E_REQUEST_INVALID',
]);

/** What is left of the first part when its memory is given back. */
interface Probed extends ByteRange {
  readonly savedHash: Uint8Array | undefined;
}

/** The registry has the first part already. */
interface Refusal {
  readonly nextByte: number;
  readonly error: LongshoreError;
}

export class Resumption {
  readonly #options: ResumptionOptions;
  #sentBytes = 0;
  #resumedBytes = 0;

  constructor(options: ResumptionOptions) {
    this.#options = options;
  }

  /** Layer bytes handed to the wire. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes from the layer's start that the registry had before. */
  get resumedBytes(): number {
    return this.#resumedBytes;
  }

  /**
   * Resolves with where the registry, the source and the digest are now.
   * @throws LaneLost if a new upload is needed; LongshoreError otherwise; the signal's reason
   */
  async run(signal: AbortSignal): Promise<JournalledProgress> {
    try {
      return await this.#run(signal);
    } catch (error) {
      // With the thread the digest of all bytes so far is gone.
      throw LongshoreError.is(error, 'E_WORKER_LOST') ? new LaneLost(error) : error;
    }
  }

  async #run(signal: AbortSignal): Promise<JournalledProgress> {
    const { reached, plan, progress, isHashRestored } = this.#options;
    progress.state = 'hashing';
    await progress.during('preparation', undefined, () =>
      this.#pass(0, reached.endByte, !isHashRestored, signal),
    );
    progress.state = 'sending';
    const range = plan.partAt(reached.partCount, reached.endByte);
    const startedAtMs = performance.now();
    const ready =
      range === undefined
        ? undefined
        : await progress.during('preparation', undefined, () =>
            preparePart(this.#options, range, signal),
          );
    if (ready === undefined) {
      this.#resumed(reached.endByte);
      return reached;
    }
    const { firstByte, endByte, savedHash } = ready.prepared;
    const probed: Probed = { firstByte, endByte, savedHash };
    let refusal: Refusal | undefined;
    try {
      progress.gauge = partGauge(reached, ready.prepared);
      refusal = await this.#probe(ready.prepared, startedAtMs, signal);
    } finally {
      progress.gauge = undefined;
      ready.release();
    }
    // The part's memory and permit are given back by now: who jumps may need memory to read on.
    if (refusal !== undefined) return this.#jump(probed, refusal, signal);
    return { endByte, partCount: reached.partCount + 1, savedHash };
  }

  /** Resolves with nothing if the part was taken, and with the refusal if the registry had it before. */
  async #probe(
    part: PreparedPart,
    startedAtMs: number,
    signal: AbortSignal,
  ): Promise<Refusal | undefined> {
    const { reached, progress, target } = this.#options;
    const index = reached.partCount;
    let attemptCount = 0;
    try {
      await callWithRetry(
        async (attempt) => {
          attemptCount = attempt;
          this.#noteSent(part, attempt > 1);
          const lastByte = await this.#options.registry.sendPart(target, part, undefined, signal);
          if (lastByte !== part.endByte - 1) throw otherByte(part, target);
        },
        this.#options.retry,
        signal,
        (fault, attempt, delayMs) =>
          progress.callRetried('UploadLayerPart', fault, attempt, delayMs, index),
      );
    } catch (error) {
      if (!(error instanceof RegistryFault)) throw error;
      const { kind, nextByte } = error;
      if (kind !== 'part-out-of-order') {
        const isLost = kind === 'upload-lost' || UPLOAD_REFUSED.has(error.error.code);
        throw isLost ? new LaneLost(error.error) : error.error;
      }
      // Sent for nothing: it was there. What is less, or nothing, cannot be explained.
      if (nextByte === undefined || nextByte < part.endByte) throw new LaneLost(error.error);
      progress.resent(part.endByte - part.firstByte);
      return { nextByte, error: error.error };
    }
    this.#resumed(part.firstByte);
    progress.partAcknowledged(index, part, attemptCount, performance.now() - startedAtMs);
    return undefined;
  }

  /** The registry has parts that the journal did not live to see. */
  async #jump(
    part: Probed,
    { nextByte, error }: Refusal,
    signal: AbortSignal,
  ): Promise<JournalledProgress> {
    const { plan, source, reached } = this.#options;
    let endByte = part.endByte;
    let partCount = reached.partCount + 1;
    while (endByte < nextByte) {
      const range = plan.partAt(partCount, endByte);
      // The last part of a stream may be short; otherwise parts end where ours do.
      const isOurs = range !== undefined && (range.endByte <= nextByte || isEndless(source));
      if (!isOurs) throw new LaneLost(error);
      endByte = Math.min(range.endByte, nextByte);
      partCount += 1;
    }
    const savedHash =
      endByte === part.endByte
        ? part.savedHash
        : await this.#pass(part.endByte, endByte, true, signal);
    this.#resumed(endByte);
    return { endByte, partCount, savedHash };
  }

  /** Reads the source on. @param isFolded whether the digest takes the bytes in */
  async #pass(
    firstByte: number,
    endByte: number,
    isFolded: boolean,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    if (firstByte === endByte) return undefined;
    const { plan, progress } = this.#options;
    const counter = progress.hashedCounter;
    const options = { ...this.#options, counter, pieceBytesMax: plan.partSizeBytes };
    return foldSource(options, { firstByte, endByte }, isFolded, signal);
  }

  #noteSent(part: PreparedPart, isAgain: boolean): void {
    const lengthBytes = part.endByte - part.firstByte;
    this.#sentBytes += lengthBytes;
    if (isAgain) this.#options.progress.resent(lengthBytes);
  }

  #resumed(endByte: number): void {
    this.#resumedBytes = endByte;
    this.#options.progress.resumed(this.#options.target.uploadId, endByte);
  }
}

function isEndless({ sizeBytes }: PartPreparationOptions['source']): boolean {
  return sizeBytes === undefined;
}
