/** The blobs of one image that several targets need: each is read once for all of them. */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import type { PlannedBlob } from '../image/image-plan.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { StartTimer } from './joint-pass.ts';
import { type SharedRead, type SharedReads, startProcessTimer } from './joint-read.ts';
import type { SourceRepository } from './source-repository.ts';

/** One target's part in it. */
export interface SharingMember {
  /**
   * It is known which blobs this target lacks. Resolves when the same is known of all targets, or after
   * half a minute: a target that does not answer must not keep the others waiting.
   * @param claim tells which it takes from the source. Called for all targets at once: so images come in
   * the same order in each of them, and of two images with a common blob one brings it to all
   */
  planned(claim: () => ReadonlySet<Digest>, signal: AbortSignal): Promise<void>;
  /** The shared source of a blob; `undefined` where nobody else reads it. Once a blob. */
  sourceOf(blob: PlannedBlob): LayerSource | undefined;
  /** It got the blob another way after all. */
  doWithout(digest: Digest): void;
  /** It has ended: nobody waits for it. Idempotent. */
  leave(): void;
}

/** Of a target for the others; those that come later bring their blobs by themselves. */
const PLAN_WAIT_MS = 30_000;

interface Member {
  claim: (() => ReadonlySet<Digest>) | undefined;
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
  readonly #startTimer: StartTimer;
  #stopTimer: (() => void) | undefined;
  #isSettled = false;
  #resolve: () => void = () => undefined;

  /**
   * @param memberCount how many will join
   * @param startTimer default: the process's timers
   */
  constructor(
    reads: SharedReads,
    source: SourceRepository,
    memberCount: number,
    startTimer: StartTimer = startProcessTimer,
  ) {
    this.#reads = reads;
    this.#source = source;
    this.#memberCount = memberCount;
    this.#allPlanned = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#startTimer = startTimer;
  }

  join(): SharingMember {
    const member: Member = {
      claim: undefined,
      leads: undefined,
      hasLeft: false,
      reads: new Map(),
    };
    this.#members.push(member);
    return {
      planned: async (claim, signal) => {
        signal.throwIfAborted();
        member.claim = claim;
        if (this.#isSettled) member.leads = new Set(claim());
        else this.#settleIfPlanned();
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
    if (this.#isSettled) return;
    const isKnown = ({ claim, hasLeft }: Member): boolean => claim !== undefined || hasLeft;
    if (this.#members.length === this.#memberCount && this.#members.every(isKnown)) this.#settle();
    else this.#stopTimer ??= this.#startTimer(PLAN_WAIT_MS, () => this.#settle());
  }

  #settle(): void {
    this.#isSettled = true;
    this.#stopTimer?.();
    for (const member of this.#members) {
      if (!member.hasLeft && member.claim !== undefined) member.leads = new Set(member.claim());
    }
    this.#resolve();
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
