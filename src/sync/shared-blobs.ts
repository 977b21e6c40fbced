/** The blobs of one image that several targets need: each is read once for all of them. */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import type { PlannedBlob } from '../image/image-plan.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { SharedRead, SharedReads } from './shared-read.ts';
import type { SourceRepository } from './source-repository.ts';

/** One target's part in it. */
export interface SharingMember {
  /**
   * It is known which blobs this target will take from the source. Resolves when the same is known of
   * all targets.
   */
  planned(leads: ReadonlySet<Digest>, signal: AbortSignal): Promise<void>;
  /** The shared source of a blob; `undefined` where nobody else reads it. Once a blob. */
  sourceOf(blob: PlannedBlob): LayerSource | undefined;
  /** It got the blob another way after all. */
  doWithout(digest: Digest): void;
  /** It has ended: nobody waits for it. Idempotent. */
  leave(): void;
}

interface Member {
  leads: Set<Digest> | undefined;
  hasLeft: boolean;
  readonly reads: Map<Digest, SharedRead>;
}

export class SharedBlobs {
  readonly #reads: SharedReads;
  readonly #source: SourceRepository;
  readonly #memberCount: number;
  readonly #members: Member[] = [];
  readonly #shared = new Set<Digest>();
  readonly #allPlanned: Promise<void>;
  #settle: () => void = () => undefined;

  /** @param memberCount how many will join */
  constructor(reads: SharedReads, source: SourceRepository, memberCount: number) {
    this.#reads = reads;
    this.#source = source;
    this.#memberCount = memberCount;
    this.#allPlanned = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  join(): SharingMember {
    const member: Member = { leads: undefined, hasLeft: false, reads: new Map() };
    this.#members.push(member);
    return {
      planned: async (leads, signal) => {
        member.leads = new Set(leads);
        this.#settleIfPlanned();
        await abortable(this.#allPlanned, signal);
      },
      sourceOf: (blob) => {
        this.#share(blob);
        return member.reads.get(blob.digest)?.source;
      },
      doWithout: (digest) => {
        member.leads?.delete(digest);
        member.reads.get(digest)?.leave();
      },
      leave: () => {
        member.hasLeft = true;
        for (const read of member.reads.values()) read.leave();
        this.#settleIfPlanned();
      },
    };
  }

  #settleIfPlanned(): void {
    const isKnown = ({ leads, hasLeft }: Member): boolean => leads !== undefined || hasLeft;
    if (this.#members.length === this.#memberCount && this.#members.every(isKnown)) this.#settle();
  }

  #share(blob: PlannedBlob): void {
    if (this.#shared.has(blob.digest)) return;
    this.#shared.add(blob.digest);
    const readers = this.#members.filter(
      ({ leads, hasLeft }) => !hasLeft && leads?.has(blob.digest) === true,
    );
    if (readers.length < 2) return;
    const source = this.#source.blob(blob);
    if (source === undefined) return;
    const reads = this.#reads.share(source, readers.length);
    for (const [index, reader] of readers.entries()) {
      const read = reads[index];
      if (read !== undefined) reader.reads.set(blob.digest, read);
    }
  }
}
