/**
 * Tells when something that should move does not. It is shown, again and again, everything that is under
 * way, with a mark that changes whenever something of it has moved. No I/O, no clock: times are passed in.
 */

import type { PartPhase } from './part-phase.ts';

/** What is waited for. */
export type WaitingFor =
  | PartPhase
  /** The source, which is to give bytes. */
  | 'source'
  /** A worker, which reads, hashes, encodes or compresses. */
  | 'preparation'
  /** Part memory (`bytesInMemoryMax`). */
  | 'memory'
  /** Its turn among the parts of all layers (`partsInFlightTotal`). */
  | 'turn'
  /** A call that carries no part: its rate, credentials, or the registry's answer. */
  | 'call';

/** What was done about a stall. */
export type StallAction =
  /** Nothing yet: it is only told of. */
  | 'none'
  /** The attempt was given up and is repeated over another connection. */
  | 'new-connection'
  /** The attempt was given up, and fewer parts are sent at once. */
  | 'narrower-window'
  /** The upload was given up. */
  | 'failed';

/** One thing that should move. */
export interface Movement {
  /** The same as long as it is the same thing; unlike that of any other. */
  readonly key: string;
  readonly waitingFor: WaitingFor;
  /** Of the part, where it is one. */
  readonly partIndex?: number;
  /** Of the call, where it carries no part. */
  readonly operation?: string;
  /** Another one as soon as something of it has moved. */
  readonly mark: string;
}

/** How long each may stand still before it is told of, milliseconds; Infinity for never. */
export type StallTimes = Readonly<Record<WaitingFor, number>>;

/** They move when others do; they are stalled only if nothing else moves. */
const DEPENDENT: ReadonlySet<WaitingFor> = new Set<WaitingFor>(['memory', 'turn', 'rate']);
/** It is told again each time the wait has become so many times as long. */
const AGAIN_FACTOR = 2;

interface Seen {
  readonly mark: string;
  sinceMs: number;
  /** The wait that is told of next. */
  nextMs: number;
}

export class StallWatch<Thing extends Movement> {
  readonly #times: StallTimes;
  readonly #gapMsMax: number;
  #seen = new Map<string, Seen>();
  #lookedAtMs: number | undefined;

  /** @param gapMsMax longest time between two looks that counts: who did not look saw nothing */
  constructor(times: StallTimes, gapMsMax: number) {
    this.#times = times;
    this.#gapMsMax = gapMsMax;
  }

  /** @returns what is to be told of now, and for how long it has stood still */
  look(
    things: readonly Thing[],
    nowMs: number,
  ): { readonly thing: Thing; readonly waitedMs: number }[] {
    this.#skipGap(nowMs);
    const seen = new Map<string, Seen>();
    // What has ended has moved as well.
    let hasMoved = this.#seen.size > things.length;
    for (const { key, mark, waitingFor } of things) {
      const before = this.#seen.get(key);
      const isSame = before !== undefined && before.mark === `${waitingFor} ${mark}`;
      hasMoved ||= !isSame;
      seen.set(key, isSame ? before : this.#begin(waitingFor, mark, nowMs));
    }
    this.#seen = seen;
    const stalls = [];
    for (const thing of things) {
      const now = seen.get(thing.key);
      if (now === undefined) continue;
      if (hasMoved && DEPENDENT.has(thing.waitingFor)) {
        seen.set(thing.key, this.#begin(thing.waitingFor, thing.mark, nowMs));
        continue;
      }
      const waitedMs = nowMs - now.sinceMs;
      if (waitedMs < now.nextMs) continue;
      now.nextMs = waitedMs * AGAIN_FACTOR;
      stalls.push({ thing, waitedMs });
    }
    return stalls;
  }

  #begin(waitingFor: WaitingFor, mark: string, nowMs: number): Seen {
    return { mark: `${waitingFor} ${mark}`, sinceMs: nowMs, nextMs: this.#times[waitingFor] };
  }

  /** The process was asleep, or its event loop busy: what moved meanwhile could not show. */
  #skipGap(nowMs: number): void {
    const gapMs = nowMs - (this.#lookedAtMs ?? nowMs) - this.#gapMsMax;
    this.#lookedAtMs = nowMs;
    if (gapMs <= 0) return;
    for (const seen of this.#seen.values()) seen.sinceMs += gapMs;
  }
}
