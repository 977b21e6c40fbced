/**
 * One pass over a source for several readers, in lock-step: a piece is read, every reader takes it, and
 * the next is read when all have. So the memory is one piece, however many readers there are.
 *
 * Nobody can block another for ever. Readers hold part memory of one shared budget while they wait here:
 * one that has its memory may wait for one that cannot get any, because the first has it. No order of
 * memory and source would help, for each needs both at once. What helps is that no wait for another
 * reader is without end: whoever keeps others waiting too long has to leave the pass, and the others, who
 * need nothing more of it, go on and give their memory back. It then reads by itself, at the price of
 * reading those bytes once more.
 */

import { LongshoreError } from '../errors.ts';
import type { LayerSource, OpenSource } from '../layer/layer-source.ts';
import { KIB } from '../limits.ts';

/** Starts a timer, and gives what stops it. */
export type StartTimer = (delayMs: number, run: () => void) => () => void;

export interface SharedPassOptions {
  /** Longest wait until all readers are there, and again until they have taken the first piece. */
  readonly joinWaitMs: number;
  /** Longest wait of one reader until the others have taken their piece. */
  readonly laggardWaitMs: number;
  readonly startTimer: StartTimer;
}

/** A reader, by which the pass knows it. */
export interface PassMember {
  /** Of the source, how far it has read. */
  readonly position: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What is read at once, and all that the pass keeps. */
export const PIECE_BYTES_MAX: number = 512 * KIB;
const NOTHING = new Uint8Array(0);

export class SharedPass {
  readonly #source: LayerSource;
  readonly #options: SharedPassOptions;
  /** Those that have not come yet, until the reading begins. */
  readonly #expected: Set<PassMember>;
  readonly #active = new Set<PassMember>();
  readonly #waiting = new Map<PassMember, Waiter>();
  readonly #arrivals = new Map<PassMember, Waiter>();
  readonly #end = new AbortController();
  #opening: Promise<OpenSource> | undefined;
  #opened: OpenSource | undefined;
  #buffer: Uint8Array = NOTHING;
  #piece: Uint8Array = NOTHING;
  #pieceCount = 0;
  #pieceStart = 0;
  #isReading = false;
  /** Where the data ended, once that is known. */
  #endByte: number | undefined;
  #surplus: Promise<number> | undefined;
  #unchanged: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #hasBegun = false;
  #stopTimer: (() => void) | undefined;

  constructor(source: LayerSource, members: readonly PassMember[], options: SharedPassOptions) {
    this.#source = source;
    this.#expected = new Set(members);
    this.#options = options;
  }

  /**
   * Waits for the others. Resolves with whether the member is in the pass; else it reads by itself.
   * @throws what opening the source threw
   */
  async join(member: PassMember): Promise<boolean> {
    if (!this.#expected.delete(member)) return false;
    this.#active.add(member);
    const arrival = new Promise<void>((resolve, reject) => {
      this.#arrivals.set(member, { resolve, reject });
    });
    this.#stopTimer ??= this.#options.startTimer(this.#options.joinWaitMs, () => this.#begin());
    if (this.#expected.size === 0) this.#begin();
    await arrival;
    return this.has(member);
  }

  has(member: PassMember): boolean {
    return this.#active.has(member);
  }

  /** What the member has not taken of the piece that is here. */
  unread({ position }: PassMember): Uint8Array {
    return this.#piece.subarray(Math.max(0, position - this.#pieceStart));
  }

  /** Whether there are no more pieces for it. */
  isAtEnd({ position }: PassMember): boolean {
    return this.#endByte !== undefined && position >= this.#endByte;
  }

  /** Resolves when there is a next piece, or the end, or when the member is no longer in the pass. */
  next(member: PassMember): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    const turn = new Promise<void>((resolve, reject) => {
      this.#waiting.set(member, { resolve, reject });
    });
    this.#advance();
    return turn;
  }

  /** Whether the source goes on behind its own size. */
  readSurplus(target: Uint8Array): Promise<number> {
    const { sizeBytes } = this.opened;
    if (sizeBytes === undefined || this.#endByte !== sizeBytes) return Promise.resolve(0);
    const signal = this.#end.signal;
    this.#surplus ??= this.opened.read(new Uint8Array(1), sizeBytes, signal);
    return this.#surplus.then((count) => Math.min(count, target.length));
  }

  assertUnchanged(): Promise<void> {
    this.#unchanged ??= this.opened.assertUnchanged();
    return this.#unchanged;
  }

  /** The source; there is one as long as somebody is in the pass. */
  get opened(): OpenSource {
    if (this.#opened === undefined) throw new Error('the source is not open');
    return this.#opened;
  }

  /** It needs nothing more of the pass, or reads on by itself. Idempotent. */
  leave(member: PassMember): void {
    const wasExpected = this.#expected.delete(member);
    const wasActive = this.#active.delete(member);
    if (!wasExpected && !wasActive) return;
    this.#settle(member);
    if (this.#active.size === 0) this.#disarm();
    if (this.#active.size === 0 && (this.#hasBegun || this.#expected.size === 0)) {
      this.#finish();
    } else if (!this.#hasBegun) {
      if (this.#expected.size === 0) this.#begin();
    } else {
      this.#advance();
    }
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#disarm();
    this.#expected.clear();
    // Alone it reads straight into its own memory.
    if (this.#active.size <= 1) {
      for (const member of this.#active) this.leave(member);
      return;
    }
    this.#opening = this.#source.open(this.#end.signal);
    this.#opening.then(
      (opened) => this.#start(opened),
      (error: unknown) => this.#fail(error),
    );
  }

  #start(opened: OpenSource): void {
    this.#opened = opened;
    // Threads read files by themselves.
    if (opened.path !== undefined) {
      for (const member of this.#active) this.leave(member);
      return;
    }
    if (opened.sizeBytes === 0) this.#endByte = 0;
    for (const { resolve } of this.#arrivals.values()) resolve();
    this.#arrivals.clear();
  }

  /** Reads on if everybody wants more, or begins to count the time of those who do not. */
  #advance(): void {
    if (this.#isReading || this.#waiting.size === 0) return;
    if (this.#waiting.size === this.#active.size) {
      this.#disarm();
      void this.#readPiece();
      return;
    }
    const { joinWaitMs, laggardWaitMs, startTimer } = this.#options;
    // Between opening a layer and its first byte lie calls to the target.
    const waitMs = this.#pieceCount <= 1 ? joinWaitMs : laggardWaitMs;
    this.#stopTimer ??= startTimer(waitMs, () => this.#dropLaggards());
  }

  #dropLaggards(): void {
    this.#disarm();
    for (const member of this.#active) {
      if (!this.#waiting.has(member)) this.leave(member);
    }
  }

  async #readPiece(): Promise<void> {
    this.#isReading = true;
    const firstByte = this.#pieceStart + this.#piece.length;
    const { sizeBytes = Number.POSITIVE_INFINITY } = this.opened;
    const wantedBytes = Math.min(PIECE_BYTES_MAX, sizeBytes - firstByte);
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(wantedBytes);
    const area = this.#buffer.subarray(0, wantedBytes);
    // Nothing is left in it for anybody: all have taken it.
    this.#piece = NOTHING;
    this.#pieceStart = firstByte;
    try {
      const count = await this.opened.read(area, firstByte, this.#end.signal);
      if (this.#end.signal.aborted) return;
      this.#isReading = false;
      this.#piece = area.subarray(0, count);
      this.#pieceCount += 1;
      const readBytes = firstByte + count;
      if (count < wantedBytes || readBytes === sizeBytes) this.#endByte = readBytes;
      for (const member of this.#waiting.keys()) this.#settle(member);
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(member: PassMember): void {
    for (const waiters of [this.#waiting, this.#arrivals]) {
      waiters.get(member)?.resolve();
      waiters.delete(member);
    }
  }

  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#failure ??= { error };
    this.#disarm();
    for (const waiters of [this.#waiting, this.#arrivals]) {
      for (const { reject } of waiters.values()) reject(error);
      waiters.clear();
    }
  }

  #disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #finish(): void {
    if (this.#end.signal.aborted) return;
    this.#hasBegun = true;
    this.#disarm();
    this.#expected.clear();
    this.#end.abort(passOver());
    this.#opening?.then((opened) => opened.close()).catch(() => undefined);
    this.#buffer = NOTHING;
    this.#piece = NOTHING;
  }
}

function passOver(): LongshoreError {
  return new LongshoreError('E_CLOSED', 'nobody reads this source any more', {});
}
