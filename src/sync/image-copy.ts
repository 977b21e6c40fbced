/** Copies one image into the targets that want it: one read of the source, each blob once a target. */

import { performance } from 'node:perf_hooks';
import { LongshoreError } from '../errors.ts';
import type { ImageReceipt } from '../image/image-events.ts';
import type { PlannedBlob } from '../image/image-plan.ts';
import type { Digest } from '../digest.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { BlobClaim, BlobLedger } from './blob-ledger.ts';
import type { DigestCache } from './digest-cache.ts';
import type { ImageDelivery, ImageJob } from './image-job.ts';
import type { JobSlot, SlotShare } from './job-slot.ts';
import { SharedBlobs, type SharingMember } from './joint-blobs.ts';
import type { SharedReads } from './joint-read.ts';
import type { SyncEvent } from './sync-events.ts';

/** How one target got the image. */
export type DeliveryOutcome =
  | {
      readonly status: 'copied' | 'unchanged';
      readonly digest: Digest;
      readonly uploadedBytes: number;
      readonly mountedBytes: number;
      readonly callCount: number;
      readonly durationMs: number;
    }
  | { readonly status: 'failed'; readonly error: unknown; readonly durationMs: number }
  | { readonly status: 'stopped' };

export interface CopyContext {
  readonly reads: SharedReads;
  readonly digests: DigestCache;
  readonly signal: AbortSignal;
  readonly drainSignal: AbortSignal;
  readonly emit: (event: SyncEvent) => void;
}

export class ImageCopy {
  readonly #job: ImageJob;
  readonly #slot: JobSlot;
  readonly #context: CopyContext;
  readonly #shared: SharedBlobs;

  constructor(job: ImageJob, slot: JobSlot, context: CopyContext) {
    this.#job = job;
    this.#slot = slot;
    this.#context = context;
    this.#shared = new SharedBlobs(context.reads, job.source, job.deliveries.length);
  }

  /** Resolves when every target has it, or has failed; in the order of the job's deliveries. Never rejects. */
  run(): Promise<readonly DeliveryOutcome[]> {
    return Promise.all(
      this.#job.deliveries.map(async (delivery) => {
        const startedAtMs = performance.now();
        const share = this.#slot.share();
        const member = this.#shared.join();
        try {
          return await new Delivery(this.#job, delivery, member, share, this.#context).run();
        } catch (error) {
          const { signal, drainSignal } = this.#context;
          const isStopped =
            (signal.aborted && error === signal.reason) ||
            (drainSignal.aborted && error === drainSignal.reason);
          if (isStopped) return { status: 'stopped' } as const;
          const durationMs = Math.round(performance.now() - startedAtMs);
          return { status: 'failed', error, durationMs } as const;
        } finally {
          member.leave();
          share.leave();
        }
      }),
    );
  }
}

/** One target's part of it. */
class Delivery {
  readonly #job: ImageJob;
  readonly #delivery: ImageDelivery;
  readonly #member: SharingMember;
  readonly #share: SlotShare;
  readonly #context: CopyContext;
  #claim: BlobClaim | undefined;
  #mountedBytes = 0;
  #mountCount = 0;

  constructor(
    job: ImageJob,
    delivery: ImageDelivery,
    member: SharingMember,
    share: SlotShare,
    context: CopyContext,
  ) {
    this.#job = job;
    this.#delivery = delivery;
    this.#member = member;
    this.#share = share;
    this.#context = context;
  }

  async run(): Promise<DeliveryOutcome> {
    const { destination, repository, tags } = this.#delivery;
    const { mapping, source, digest } = this.#job;
    const { signal, digests } = this.#context;
    const ledger = await destination.ledger(signal);
    let named: readonly Digest[] | undefined;
    try {
      const receipt = await destination.target.push(
        {
          repository,
          image: source.image(digest, tags[0]?.tag ?? ''),
          tags: tags.map(({ tag }) => tag),
          platforms: mapping.platforms ?? [],
          referrers: mapping.referrers ?? false,
          createRepository: mapping.createRepository ?? false,
          beforeTransfer: async (plan) => {
            const missing = plan.blobs.flatMap((blob) =>
              blob.action === 'upload' ? [blob.digest] : [],
            );
            // The image is in the target's own registry, and its manifest names them all.
            if (await this.#isOwnSource()) ledger.addHome(source.repository, missing);
            this.#share.planned(missing.length);
            await this.#member.planned(() => {
              this.#claim = ledger.claim(repository, missing);
              return this.#claim.leads;
            }, signal);
          },
          createOnce: (create) => destination.createOnce(repository, create),
          obtainBlob: (blob, upload, ownSignal) =>
            this.#obtain(ledger, blob, upload, ownSignal).finally(() => this.#share.obtained()),
        },
        // Who drains a sync begins no more images; those that were begun become whole.
        { signal, drainSignal: signal, onEvent: (event) => destination.heard(event) },
      );
      named = receipt.blobs.flatMap((blob) => (blob.outcome === 'foreign' ? [] : [blob.digest]));
      if (mapping.platforms !== undefined) digests.set(digest, mapping.platforms, receipt.digest);
      return this.#outcome(receipt);
    } finally {
      // First: once it has left, nothing is claimed for it any more.
      this.#member.leave();
      if (this.#claim !== undefined) ledger.settle(this.#claim, named);
      else if (named !== undefined) ledger.addHome(repository, named);
    }
  }

  /** Whether the source is a repository of the target's registry. */
  async #isOwnSource(): Promise<boolean> {
    const { registry } = this.#job.source;
    if (registry === '') return false;
    const { target } = this.#delivery.destination;
    // Who may not ask for it mounts nothing either.
    const host = await target.registryHost(this.#context.signal).catch(() => undefined);
    return host === registry;
  }

  async #obtain(
    ledger: BlobLedger,
    blob: PlannedBlob,
    upload: (source?: LayerSource) => Promise<void>,
    signal: AbortSignal,
  ): Promise<'uploaded' | 'mounted'> {
    const { digest, sizeBytes } = blob;
    const { destination, repository } = this.#delivery;
    const { target } = destination;
    const claim = this.#claim;
    if (claim === undefined) throw new Error('a blob is wanted before the push was planned');
    for (;;) {
      const way = await ledger.wayOf(claim, digest, () => this.#share.wait(), signal);
      if (way.kind === 'upload') break;
      const { from } = way;
      const name = { target: target.name, repository, from, digest };
      const outcome = await ledger.mountOnce(from, repository, digest, () =>
        this.#mount(from, digest, signal),
      );
      if (outcome !== 'refused') {
        this.#member.doWithout(digest);
        if (outcome === 'present') return 'mounted';
        this.#mountedBytes += sizeBytes;
        this.#mountCount += 1;
        destination.mounted(sizeBytes);
        this.#context.emit({ type: 'blob-mounted', ...name, sizeBytes });
        return 'mounted';
      }
      if (!ledger.refuse(from, repository, digest)) continue;
      destination.mountRefused();
      this.#context.emit({ type: 'mount-refused', ...name });
    }
    try {
      await upload(this.#member.sourceOf(blob));
      ledger.brought(claim, digest);
    } finally {
      // It may have been there after all: then nobody has opened the source, and others wait for that.
      this.#member.doWithout(digest);
    }
    return 'uploaded';
  }

  /** Who may not mount, or cannot, may still send the blob; what stands in the way of that too is told then. */
  async #mount(from: string, digest: Digest, signal: AbortSignal): Promise<'mounted' | 'refused'> {
    const { destination, repository } = this.#delivery;
    try {
      return await destination.target.mount(repository, from, digest, signal);
    } catch (error) {
      if (signal.aborted || !LongshoreError.is(error)) throw error;
      return 'refused';
    }
  }

  #outcome(receipt: ImageReceipt): DeliveryOutcome {
    const uploaded = receipt.blobs.filter(({ outcome }) => outcome === 'uploaded');
    return {
      status: receipt.outcome === 'pushed' ? 'copied' : 'unchanged',
      digest: receipt.digest,
      uploadedBytes: uploaded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      mountedBytes: this.#mountedBytes,
      // A mount is a call of its own, which the push does not see.
      callCount: receipt.callCount + this.#mountCount,
      durationMs: receipt.durationMs,
    };
  }
}

/** Whether the image was gone under its digest, as when its tag has moved. */
export function isGone(outcome: DeliveryOutcome): boolean {
  return outcome.status === 'failed' && LongshoreError.is(outcome.error, 'E_IMAGE_NOT_FOUND');
}
