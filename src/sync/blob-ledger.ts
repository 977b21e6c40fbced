/**
 * Where the blobs of one target are, and who is bringing them: so that each travels once, and is mounted
 * into every other repository that wants it.
 */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import { OnceByKey } from './once-by-key.ts';

/** Blobs that are remembered; beyond them each is asked of ECR and sent as if it were alone. */
const BLOBS_MAX = 1_000_000;
/** Mounts between two repositories that are refused in a row before no other is tried. */
const REFUSALS_MAX = 3;
/** Those of any repositories. */
const REFUSALS_IN_ALL_MAX = 30;

/** How an image gets a blob that its repository lacks. */
export type BlobWay =
  | { readonly kind: 'upload' }
  | { readonly kind: 'mount'; readonly from: string };

/**
 * What one push has taken upon itself. Claims are numbered in the order in which they were made, and an
 * image only ever waits for one with a smaller number: so nobody waits in a circle.
 */
export interface BlobClaim {
  readonly number: number;
  readonly repository: string;
  /** Blobs that this push brings, and that others wait for. */
  readonly leads: ReadonlySet<Digest>;
}

interface OpenClaim extends BlobClaim {
  readonly leads: Set<Digest>;
  /** Those of them that are in the repository by now. */
  readonly brought: Set<Digest>;
  /** Tells who waits for a blob that it is there, or that the push has ended. */
  readonly arrivals: Map<Digest, (() => void)[]>;
  /** Resolves when the push has ended, well or not. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
}

export class BlobLedger {
  /** Whether the account mounts at all; if not, nobody waits for another repository's images. */
  readonly mounts: boolean;
  /** A repository where a manifest names the blob, which is what ECR mounts from (user guide, H). */
  readonly #homes = new Map<Digest, string>();
  /** By digest; where there are no mounts, by repository and digest. */
  readonly #leads = new Map<string, OpenClaim>();
  /** Between two repositories, since a mount went well. */
  readonly #refusals = new Map<string, number>();
  #refusalsInARow = 0;
  readonly #refusedBlobs = new Set<string>();
  /** By repository and digest. Those that were refused are gone from it. */
  readonly #mounting = new OnceByKey<'mounted' | 'refused'>();
  #lastNumber = 0;

  constructor(mounts: boolean) {
    this.mounts = mounts;
  }

  /** A repository whose manifests name the blob, where one is known. */
  homeOf(digest: Digest): string | undefined {
    return this.#homes.get(digest);
  }

  /** A manifest of this repository names these blobs. */
  addHome(repository: string, digests: Iterable<Digest>): void {
    for (const digest of digests) {
      if (this.#homes.has(digest) || this.#homes.size >= BLOBS_MAX) continue;
      this.#homes.set(digest, repository);
    }
  }

  /** Takes the lead for those of a push's missing blobs that nobody brings yet. All at once: no circle. */
  claim(repository: string, missing: Iterable<Digest>): BlobClaim {
    this.#lastNumber += 1;
    let settle: () => void = () => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const claim: OpenClaim = {
      number: this.#lastNumber,
      repository,
      leads: new Set(),
      brought: new Set(),
      arrivals: new Map(),
      settled,
      settle,
    };
    for (const digest of missing) {
      if (this.#mountableFrom(digest, repository) === undefined) this.#lead(claim, digest);
    }
    return claim;
  }

  /**
   * How the push gets the blob, which may have to be waited for.
   * @param onWait called before it waits; what it returns is awaited afterwards
   * @throws the signal's reason
   */
  async wayOf(
    claim: BlobClaim,
    digest: Digest,
    onWait: () => () => Promise<void>,
    signal: AbortSignal,
  ): Promise<BlobWay> {
    const { repository } = claim;
    for (;;) {
      const from = this.#mountableFrom(digest, repository);
      if (from !== undefined) return { kind: 'mount', from };
      const lead = this.#leads.get(this.#leadKey(repository, digest));
      if (lead === undefined) this.#lead(claim as OpenClaim, digest);
      if (lead === undefined || lead === claim || lead.number > claim.number) break;
      // In the same repository the blob itself is waited for, and the engine then finds it there.
      const isHere = lead.repository === repository;
      if (isHere && lead.brought.has(digest)) break;
      if (!isHere && this.#isRefused(lead.repository, repository, digest)) break;
      const resume = onWait();
      await abortable(isHere ? arrivalOf(lead, digest) : lead.settled, signal);
      await abortable(resume(), signal);
    }
    return { kind: 'upload' };
  }

  /**
   * Mounts a blob, unless another image of the repository has had it mounted.
   * @returns `present` if that is so
   */
  async mountOnce(
    from: string,
    repository: string,
    digest: Digest,
    mount: () => Promise<'mounted' | 'refused'>,
  ): Promise<'mounted' | 'refused' | 'present'> {
    const key = pair(repository, digest);
    const { outcome, isOwn } = await this.#mounting.run(key, mount);
    if (!isOwn) return outcome === 'mounted' ? 'present' : outcome;
    if (outcome === 'mounted') {
      this.#refusals.delete(pair(from, repository));
      this.#refusalsInARow = 0;
    }
    if (outcome === 'refused' || this.#mounting.size > BLOBS_MAX) this.#mounting.forget(key);
    return outcome;
  }

  /**
   * ECR did not mount. For one blob there may be reasons of its own; if one after another is refused,
   * it is the repositories (their encryption, for one).
   * @returns whether that is new: several images may have asked for it together
   */
  refuse(from: string, repository: string, digest: Digest): boolean {
    const between = pair(from, repository);
    if (this.#refusedBlobs.has(pair(between, digest))) return false;
    this.#refusedBlobs.add(pair(between, digest));
    const count = (this.#refusals.get(between) ?? 0) + 1;
    this.#refusals.set(between, count);
    this.#refusalsInARow += 1;
    return true;
  }

  /** A blob is in the repository of the push. */
  brought(claim: BlobClaim, digest: Digest): void {
    const { leads, brought, arrivals } = claim as OpenClaim;
    if (!leads.has(digest)) return;
    brought.add(digest);
    for (const tell of arrivals.get(digest) ?? []) tell();
    arrivals.delete(digest);
  }

  /**
   * The push has ended.
   * @param named the blobs that its manifests name, if it went well: they can be mounted from now on
   */
  settle(claim: BlobClaim, named: Iterable<Digest> | undefined): void {
    const own = claim as OpenClaim;
    if (named !== undefined) this.addHome(claim.repository, named);
    for (const digest of own.leads) {
      const key = this.#leadKey(own.repository, digest);
      if (this.#leads.get(key) === own) this.#leads.delete(key);
    }
    for (const waiting of own.arrivals.values()) for (const tell of waiting) tell();
    own.arrivals.clear();
    own.settle();
  }

  #lead(claim: OpenClaim, digest: Digest): void {
    const key = this.#leadKey(claim.repository, digest);
    if (this.#leads.has(key)) return;
    this.#leads.set(key, claim);
    claim.leads.add(digest);
  }

  #leadKey(repository: string, digest: Digest): string {
    return this.mounts ? digest : pair(repository, digest);
  }

  #mountableFrom(digest: Digest, repository: string): string | undefined {
    if (!this.mounts) return undefined;
    const home = this.#homes.get(digest);
    if (home === undefined || home === repository) return undefined;
    return this.#isRefused(home, repository, digest) ? undefined : home;
  }

  #isRefused(from: string, repository: string, digest: Digest): boolean {
    if (this.#refusalsInARow >= REFUSALS_IN_ALL_MAX) return true;
    const between = pair(from, repository);
    if ((this.#refusals.get(between) ?? 0) >= REFUSALS_MAX) return true;
    return this.#refusedBlobs.has(pair(between, digest));
  }
}

/** Resolves when the blob is there, or the push has ended. */
function arrivalOf({ arrivals }: OpenClaim, digest: Digest): Promise<void> {
  return new Promise((resolve) => {
    const waiting = arrivals.get(digest) ?? [];
    arrivals.set(digest, waiting);
    waiting.push(resolve);
  });
}

/** Names of repositories hold no blanks. */
function pair(from: string, to: string): string {
  return `${from} ${to}`;
}
