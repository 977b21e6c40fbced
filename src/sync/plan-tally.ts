/** Adds up what a sync would send into one target. Pure. */

import type { Digest } from '../digest.ts';
import type { ImagePlan, PlannedBlob } from '../image/image-plan.ts';
import { planParts } from '../layer/part-plan.ts';
import type { PlannedSyncTarget } from './sync-plan.ts';

/** How rates are told: those who are not in the table are not held back. */
type Rates = Readonly<Record<string, number>>;

export class PlanTally {
  readonly #mounts: boolean;
  readonly #partSizeBytes: number;
  readonly #homeOf: (digest: Digest) => string | undefined;
  /** The repositories where a blob is, or will be by then. */
  readonly #homes = new Map<Digest, Set<string>>();
  readonly #repositories = new Set<string>();
  readonly #calls = new Map<string, number>();
  readonly #sums = { uploadBlobCount: 0, uploadBytes: 0, mountBlobCount: 0, mountBytes: 0 };

  /**
   * @param mounts whether the account mounts blobs at all
   * @param homeOf a repository of the target that is known to have a blob
   */
  constructor(
    mounts: boolean,
    partSizeBytes: number,
    homeOf: (digest: Digest) => string | undefined,
  ) {
    this.#mounts = mounts;
    this.#partSizeBytes = partSizeBytes;
    this.#homeOf = homeOf;
  }

  /** What one push into the target would do, were it alone. */
  add(plan: ImagePlan): void {
    const { repository, blobs, calls } = plan;
    for (const blob of blobs) this.#addBlob(repository, blob);
    for (const [operation, count] of Object.entries(calls)) {
      if (BLOB_OPERATIONS.has(operation)) continue;
      if (operation === 'CreateRepository' && this.#repositories.has(repository)) continue;
      this.#count(operation, count);
    }
    this.#repositories.add(repository);
  }

  /** @param callsPerSecond the rates that are kept to */
  result(target: string, callsPerSecond: Rates): PlannedSyncTarget {
    const calls = Object.fromEntries(this.#calls);
    // Each operation has a quota of its own, and a second's calls may leave at once.
    const waits = Object.entries(calls).map(([operation, count]) => {
      const perSecond = callsPerSecond[operation] ?? Number.POSITIVE_INFINITY;
      return Math.max(0, (count / perSecond - 1) * 1000);
    });
    return { target, ...this.#sums, calls, quotaMs: Math.round(Math.max(0, ...waits)) };
  }

  #addBlob(repository: string, { digest, sizeBytes, action, reason }: PlannedBlob): void {
    if (reason === 'foreign') return;
    const homes = this.#homesOf(digest);
    if (action === 'upload' && !homes.has(repository)) {
      const isMounted = this.#mounts && homes.size > 0;
      this.#count('InitiateLayerUpload', 1);
      if (isMounted) {
        this.#sums.mountBlobCount += 1;
        this.#sums.mountBytes += sizeBytes;
      } else {
        this.#sums.uploadBlobCount += 1;
        this.#sums.uploadBytes += sizeBytes;
        const { partCount } = planParts(sizeBytes, this.#partSizeBytes, digest);
        this.#count('UploadLayerPart', partCount ?? 0);
        this.#count('CompleteLayerUpload', 1);
      }
    }
    homes.add(repository);
  }

  #homesOf(digest: Digest): Set<string> {
    const known = this.#homes.get(digest);
    if (known !== undefined) return known;
    const home = this.#homeOf(digest);
    const homes = new Set(home === undefined ? [] : [home]);
    this.#homes.set(digest, homes);
    return homes;
  }

  #count(operation: string, count: number): void {
    this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + count);
  }
}

/** Counted here, by what other images bring. */
const BLOB_OPERATIONS: ReadonlySet<string> = new Set([
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
]);
