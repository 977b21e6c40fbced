/** The life of one layer: is it there, what is its digest, send it, complete it, be sure. */

import type { Digest } from '../digest.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import {
  forgetJournal,
  isResumable,
  type JournalledLayer,
  openJournal,
  type UsableJournal,
} from './journalled-layer.ts';
import { LaneLost } from './lane-lost.ts';
import type { LayerReceipt } from './layer-events.ts';
import type { LayerJournal } from './layer-journal.ts';
import type { LayerProgress } from './layer-progress.ts';
import { planParts } from './part-plan.ts';
import { hashBeforehand } from './prehash.ts';
import { RepositoryCalls } from './repository-calls.ts';
import { sourceEmpty } from './source-errors.ts';
import { UploadAttempt } from './upload-attempt.ts';
import { WatchedSource } from './watched-source.ts';
import type { LayerOrder, LayerUploadContext } from './upload-context.ts';

type Outcome = Omit<LayerReceipt, 'repository' | 'source' | 'durationMs'>;

export class LayerUpload {
  readonly #context: LayerUploadContext;
  readonly #order: LayerOrder;
  readonly #calls: RepositoryCalls;
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
    this.#calls = new RepositoryCalls(context, order.repository, progress, signal);
    this.#progress = progress;
    this.#signal = signal;
  }

  async run(): Promise<Outcome> {
    const { source } = this.#order;
    const opened = await this.#open();
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
        (leader) => ({
          ...leader,
          outcome: 'already-present',
          partCount: 0,
          sentBytes: 0,
          resumedBytes: 0,
        }),
      );
    } finally {
      await opened.close();
    }
  }

  #open(): Promise<WatchedSource> {
    const { sourceTimeoutMs } = this.#context;
    return WatchedSource.open(this.#order.source, sourceTimeoutMs, this.#progress, this.#signal);
  }

  /** The digest, if it can be known before the layer is sent. */
  async #knownDigest(opened: WatchedSource): Promise<Digest | undefined> {
    const { expectedDigest, presence, source } = this.#order;
    let digest = expectedDigest ?? source.digest;
    if (digest === undefined && presence === 'ask' && opened.cheapToReread) {
      this.#progress.state = 'hashing';
      const { workshop, memory } = this.#context;
      const counter = this.#progress.hashedCounter;
      digest = await this.#progress.during('preparation', undefined, () =>
        hashBeforehand(opened, source.label, workshop, memory, counter, this.#signal),
      );
      this.#progress.emit({ type: 'layer-hashed', digest });
    }
    this.#progress.digest = digest;
    return digest;
  }

  async #uploadUnlessPresent(opened: WatchedSource, digest: Digest): Promise<Outcome> {
    const sizeBytes = await this.#presentSize(opened, digest);
    if (sizeBytes === undefined) return this.#upload(opened, digest);
    await forgetJournal(this.#journalledLayer(opened, digest));
    return this.#present(digest, sizeBytes);
  }

  /** The layer's size, if it need not be sent. */
  async #presentSize(opened: WatchedSource, digest: Digest): Promise<number | undefined> {
    const { presence, repository } = this.#order;
    if (presence === 'ignore') return undefined;
    if (presence !== 'ask') {
      return this.#context.completed.sizeOf(repository, digest, presence.completedSince);
    }
    this.#progress.state = 'checking';
    return (await this.#calls.hasLayer(digest)) ? (opened.sizeBytes ?? 0) : undefined;
  }

  async #upload(opened: WatchedSource, digest: Digest | undefined): Promise<Outcome> {
    const journalled = await openJournal(this.#journalledLayer(opened, digest));
    try {
      const outcome = await this.#resumeOrBegin(opened, digest, journalled);
      await journalled?.journal.discard();
      return outcome;
    } catch (error) {
      if (!isResumable(error)) await journalled?.journal.discard();
      throw error;
    } finally {
      await journalled?.journal.close();
    }
  }

  /** An upload of an earlier process that cannot be gone on with counts for nothing. */
  async #resumeOrBegin(
    opened: WatchedSource,
    digest: Digest | undefined,
    journalled: UsableJournal | undefined,
  ): Promise<Outcome> {
    const journal = journalled?.journal;
    if (journalled?.found === undefined) return this.#uploadAnew(opened, digest, journal);
    try {
      return await this.#attempt(opened, digest, journal, journalled.found);
    } catch (error) {
      this.#startAgain(error, opened);
    }
    // It may be lost because that process completed it; who checks first has asked.
    const isUnasked = digest !== undefined && this.#order.presence === 'ignore';
    if (isUnasked && (await this.#calls.hasLayer(digest))) {
      return this.#present(digest, opened.sizeBytes ?? 0);
    }
    return this.#withSource((again) => this.#uploadAnew(again, digest, journal));
  }

  /** If ECR loses the upload, the layer starts again, once, from a source that can be read again. */
  async #uploadAnew(
    opened: WatchedSource,
    digest: Digest | undefined,
    journal: LayerJournal | undefined,
  ): Promise<Outcome> {
    try {
      return await this.#attempt(opened, digest, journal);
    } catch (error) {
      this.#startAgain(error, opened);
    }
    try {
      return await this.#withSource((again) => this.#attempt(again, digest, journal));
    } catch (error) {
      throw error instanceof LaneLost ? error.error : error;
    }
  }

  /** Returns only if the layer may start again. */
  #startAgain(error: unknown, { rereadable }: WatchedSource): void {
    if (!(error instanceof LaneLost)) throw error;
    if (!rereadable) throw error.error;
    this.#progress.restarted();
    const { code, message } = error.error;
    this.#progress.emit({ type: 'layer-restarted', code, message });
  }

  async #withSource<T>(use: (again: WatchedSource) => Promise<T>): Promise<T> {
    const again = await this.#open();
    try {
      return await use(again);
    } finally {
      await again.close();
    }
  }

  async #attempt(
    opened: WatchedSource,
    expected: Digest | undefined,
    journal: LayerJournal | undefined,
    found?: UsableJournal['found'],
  ): Promise<Outcome> {
    const attempt = new UploadAttempt({
      context: this.#context,
      order: this.#order,
      calls: this.#calls,
      progress: this.#progress,
      signal: this.#signal,
      source: opened,
      expected,
      journal,
      found,
    });
    try {
      const sent = await attempt.run();
      return { ...sent, sentBytes: this.#sentBytes + attempt.sentBytes };
    } finally {
      this.#sentBytes += attempt.sentBytes;
    }
  }

  /** It was there, though bytes may have been sent before that was found. */
  #present(digest: Digest, sizeBytes: number): Outcome {
    const sentBytes = this.#sentBytes;
    const outcome = 'already-present';
    return { digest, sizeBytes, outcome, partCount: 0, sentBytes, resumedBytes: 0 };
  }

  #journalledLayer(opened: WatchedSource, digest: Digest | undefined): JournalledLayer {
    const { journals, workshop, partSizeBytes } = this.#context;
    const { repository, source } = this.#order;
    return {
      journals,
      workshop,
      partSizeBytes,
      repository,
      source: opened,
      sourceLabel: source.label,
      digest,
      progress: this.#progress,
    };
  }
}
