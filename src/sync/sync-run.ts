/** A sync under way: discovery and copying side by side, told event by event. */

import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { takePermit } from '../layer/permit.ts';
import type { Destination } from './destination.ts';
import type { DigestCache } from './digest-cache.ts';
import type { EventQueue } from './event-queue.ts';
import { type DeliveryOutcome, ImageCopy, isGone } from './image-copy.ts';
import { type ImageDelivery, type ImageJob, jobsOf } from './image-job.ts';
import { JobSlot } from './job-slot.ts';
import { PendingWork } from './pending-work.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { SharedReads } from './joint-read.ts';
import type { SyncEvent } from './sync-events.ts';
import type { PlannedSyncTag } from './sync-plan.ts';
import { SyncRecord } from './sync-record.ts';

/** Images that wait for their turn; then discovery waits as well. */
const JOBS_WAITING_MAX = 10_000;
/** Images that are open, those included that wait for another image's blobs: so many times those at work. */
const JOBS_OPEN_FACTOR = 4;

export interface SyncRunContext {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly reads: SharedReads;
  readonly digests: DigestCache;
  readonly imagesInFlight: number;
  readonly signal: AbortSignal;
  readonly drainSignal: AbortSignal;
  readonly events: EventQueue<SyncEvent>;
}

export class SyncRun {
  readonly record: SyncRecord = new SyncRecord();
  readonly #context: SyncRunContext;
  /** Ends what has not begun. */
  readonly #beginSignal: AbortSignal;
  readonly #waiting = pLimit(JOBS_WAITING_MAX);
  readonly #open: ReturnType<typeof pLimit>;
  readonly #slots: ReturnType<typeof pLimit>;
  readonly #jobs = new PendingWork();
  readonly #meter = new ProgressMeter(performance.now());

  constructor(context: SyncRunContext) {
    this.#context = context;
    this.#beginSignal = AbortSignal.any([context.signal, context.drainSignal]);
    setMaxListeners(0, this.#beginSignal);
    this.#open = pLimit(context.imagesInFlight * JOBS_OPEN_FACTOR);
    this.#slots = pLimit(context.imagesInFlight);
  }

  get beginSignal(): AbortSignal {
    return this.#beginSignal;
  }

  /** Tags have been looked at. Resolves when there is room for more. */
  async tagsPlanned(tags: readonly PlannedSyncTag[]): Promise<void> {
    for (const tag of tags) {
      const ended = this.record.planned(tag);
      await this.#context.events.push({ type: 'tag-planned', tag });
      if (ended !== undefined) {
        await this.#context.events.push({ type: 'tag-completed', tag: ended });
      }
    }
  }

  /** An image is to be copied. Resolves when there is room for more. */
  async jobFound(job: ImageJob): Promise<void> {
    const began = await takePermit(this.#waiting, this.#beginSignal);
    this.#meter.found(job.deliveries.length);
    this.#jobs.add(this.#runInTurn(job, began));
  }

  /** Nothing more comes. */
  discovered(): void {
    this.#meter.discovered();
  }

  /** Resolves when no image is under way. */
  async finish(): Promise<void> {
    await this.#jobs.settled();
  }

  tellProgress(): void {
    const targets = [...this.#context.destinations.values()];
    const snapshots = targets.map(({ target }) => target.snapshot());
    const progress = this.#meter.progress(performance.now(), {
      tagCount: this.record.tagCount,
      uploadedBytes: snapshots.reduce((sum, { acceptedBytes }) => sum + acceptedBytes, 0),
      mountedBytes: targets.reduce((sum, { mountedBytes }) => sum + mountedBytes, 0),
      throttledCallCount: targets.reduce((sum, { target }) => sum + target.throttledCallCount(), 0),
    });
    this.#context.events.offer({ type: 'sync-progress', progress });
  }

  async #runInTurn(job: ImageJob, began: () => void): Promise<void> {
    try {
      const close = await takePermit(this.#open, this.#beginSignal);
      try {
        began();
        await this.#run(job);
      } finally {
        close();
      }
    } catch (error) {
      // Not begun, or stopped: its tags stay open. Whatever else fails is recorded tag by tag.
      if (!this.#beginSignal.aborted) throw error;
    } finally {
      began();
    }
  }

  async #run(job: ImageJob): Promise<void> {
    const outcomes = await this.#copy(job);
    const gone: (readonly [ImageDelivery, DeliveryOutcome])[] = [];
    let openCount = job.deliveries.length;
    try {
      for (const [index, delivery] of job.deliveries.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome.status === 'stopped') continue;
        // What is known is told first: what follows may take a while, or be ended.
        if (isGone(outcome)) {
          gone.push([delivery, outcome]);
          continue;
        }
        openCount -= 1;
        this.#meter.ended(outcome.status === 'failed');
        await this.#ended(delivery.tags, delivery.tags, outcome);
      }
      for (const [delivery, outcome] of gone) {
        const isFailed = await this.#copyMoved(job, delivery, outcome);
        openCount -= 1;
        this.#meter.ended(isFailed);
      }
    } finally {
      this.#meter.stopped(openCount);
    }
  }

  async #copy(job: ImageJob): Promise<readonly DeliveryOutcome[]> {
    const { deliveries } = job;
    const { reads, digests, signal, drainSignal, events } = this.#context;
    const slot = await JobSlot.take(this.#slots, deliveries.length, this.#beginSignal);
    if (!job.again) this.#meter.began(deliveries.length);
    for (const { tags } of deliveries) {
      const [first] = tags;
      if (first === undefined) continue;
      const { mapping, source, tag, target, repository } = first;
      void events.push({ type: 'image-started', mapping, source, tag, target, repository });
    }
    const emit = (event: SyncEvent): void => void events.push(event);
    return new ImageCopy(job, slot, { reads, digests, signal, drainSignal, emit }).run();
  }

  /**
   * The image is gone: its tags may have moved since they were looked at. Once, they are looked at again.
   * @returns whether any of them failed for good
   */
  async #copyMoved(
    { source, mapping, digest }: ImageJob,
    { destination, tags }: ImageDelivery,
    outcome: DeliveryOutcome,
  ): Promise<boolean> {
    const begunOf = new Map<PlannedSyncTag, PlannedSyncTag>();
    const lost: PlannedSyncTag[] = [];
    for (const begun of tags) {
      const now = await source.resolve(begun.tag, this.#beginSignal).catch(() => undefined);
      this.#beginSignal.throwIfAborted();
      if (now === undefined || now === digest) lost.push(begun);
      else begunOf.set({ ...begun, sourceDigest: now }, begun);
    }
    let isFailed = lost.length > 0;
    await this.#ended(lost, lost, outcome);
    const found = [...begunOf.keys()].map((planned) => ({ planned, destination }));
    for (const again of jobsOf(mapping, source, found, true)) {
      const [later] = await this.#copy(again);
      const [own] = again.deliveries;
      if (later === undefined || own === undefined) continue;
      const begun = own.tags.flatMap((tag) => begunOf.get(tag) ?? []);
      await this.#ended(begun, own.tags, later);
      if (later.status === 'stopped') this.#beginSignal.throwIfAborted();
      isFailed ||= later.status === 'failed';
    }
    return isFailed;
  }

  async #ended(
    begun: readonly PlannedSyncTag[],
    tags: readonly PlannedSyncTag[],
    outcome: DeliveryOutcome,
  ): Promise<void> {
    for (const tag of this.record.delivered(begun, tags, outcome)) {
      await this.#context.events.push({ type: 'tag-completed', tag });
    }
  }
}
