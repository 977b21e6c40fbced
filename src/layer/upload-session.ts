/**
 * The state of one upload id: which parts are committed, on the wire, or held back. No I/O, no clock.
 *
 * ECR commits the parts of an upload only one after the other. Several parts travel at once all the
 * same: every part but the first uncommitted one is sent `held`, that is without the last bytes of
 * its body, which name it; they follow when the part before it is acknowledged. So the registry never
 * sees part N+1 whole before part N is acknowledged.
 *
 * Every event returns the commands that follow from it, in order. Attempts are numbered, and an
 * answer to an attempt that is no longer the current one is ignored.
 */

import type { ByteRange } from './ports.ts';
import { type CommitReading, NO_READING, WindowControl } from './window.ts';

/** What the lane has to do next. */
export type SessionCommand =
  | {
      readonly type: 'transmit';
      readonly index: number;
      readonly attempt: number;
      readonly held: boolean;
    }
  /** Let the held tail of the current attempt go. */
  | { readonly type: 'release'; readonly index: number }
  /** Part `index` is committed: its memory may go. */
  | { readonly type: 'committed'; readonly index: number; readonly attempt: number }
  /** Give up the current attempt; its answer will be ignored. */
  | { readonly type: 'cancel'; readonly index: number }
  /** Wait, then report `due`. `failureCount` counts the failures in a row. */
  | { readonly type: 'wait'; readonly index: number; readonly failureCount: number }
  | { readonly type: 'window'; readonly size: number }
  /** Too many failures in a row. */
  | { readonly type: 'exhausted'; readonly index: number }
  /** The registry's state cannot be brought in line with ours: a new upload is needed. */
  | { readonly type: 'diverged'; readonly index: number };

interface PartState {
  readonly range: ByteRange;
  phase: 'ready' | 'held' | 'sent' | 'waiting';
  attempt: number;
  failureCount: number;
}

export class UploadSession {
  readonly #window: WindowControl;
  readonly #failuresMax: number;
  /** Parts that are prepared and not committed, by index. */
  readonly #parts = new Map<number, PartState>();
  #committedCount: number;
  #committedBytes: number;
  #addedCount: number;
  #addedBytes: number;

  /**
   * @param windowMax parts on the wire at once, at least 1; how many of them, `WindowControl` finds out
   * @param failuresMax failures in a row of one part before the session is `exhausted`, at least 1
   * @param start what is committed already, by an earlier process
   */
  constructor(
    windowMax: number,
    failuresMax: number,
    start: { readonly endByte: number; readonly partCount: number } = { endByte: 0, partCount: 0 },
  ) {
    this.#window = new WindowControl(windowMax);
    this.#failuresMax = failuresMax;
    this.#committedBytes = start.endByte;
    this.#committedCount = start.partCount;
    this.#addedBytes = start.endByte;
    this.#addedCount = start.partCount;
  }

  get committedBytes(): number {
    return this.#committedBytes;
  }

  get committedCount(): number {
    return this.#committedCount;
  }

  /** Parts on the wire now. */
  get inFlightCount(): number {
    let count = 0;
    for (const part of this.#parts.values()) {
      if (part.phase === 'held' || part.phase === 'sent') count += 1;
    }
    return count;
  }

  /** Whether one more part may be prepared: the window's worth, and at least one ahead. */
  get hasRoom(): boolean {
    return this.#parts.size < Math.max(this.#window.size, 2);
  }

  get isDrained(): boolean {
    return this.#parts.size === 0;
  }

  /** The next part, which begins where the last one ended, is ready to be sent. */
  add(range: ByteRange): SessionCommand[] {
    if (range.firstByte !== this.#addedBytes || range.endByte <= range.firstByte) {
      throw new RangeError(`part ${range.firstByte}-${range.endByte} does not follow`);
    }
    this.#parts.set(this.#addedCount, { range, phase: 'ready', attempt: 0, failureCount: 0 });
    this.#addedCount += 1;
    this.#addedBytes = range.endByte;
    return this.#fillWindow();
  }

  /**
   * The registry took part `index` and says that `lastByte` is the last byte it has.
   * @param reading what the wire looks like at this moment
   */
  acknowledged(
    index: number,
    attempt: number,
    lastByte: number,
    reading: CommitReading = NO_READING,
  ): SessionCommand[] {
    const part = this.#current(index, attempt);
    if (part === undefined) return [];
    // A reply that names another byte proves nothing. The next attempt's answer will tell.
    if (lastByte !== part.range.endByte - 1 || !this.#isHead(part)) return this.#fail(index, part);
    return this.#commit(index, part, reading);
  }

  /**
   * The registry refused part `index` for its position.
   * @param nextByte the first byte the registry lacks, if it said so
   */
  outOfOrder(index: number, attempt: number, nextByte: number | undefined): SessionCommand[] {
    const part = this.#current(index, attempt);
    if (part === undefined) return [];
    if (part.phase === 'held') return this.failed(index, attempt);
    if (nextByte === undefined) return [{ type: 'diverged', index }];
    // An earlier attempt, whose answer was lost, has landed.
    if (nextByte >= part.range.endByte) return this.#commit(index, part);
    if (nextByte === part.range.firstByte) return this.#fail(index, part);
    return [{ type: 'diverged', index }];
  }

  /**
   * The attempt failed in a way that another one may cure. It may have landed all the same.
   * @param isStalled whether it was given up because nothing moved: then less is sent at once
   */
  failed(index: number, attempt: number, isStalled = false): SessionCommand[] {
    const part = this.#current(index, attempt);
    if (part === undefined) return [];
    if (part.phase !== 'held') {
      return [...(isStalled ? this.#narrow() : []), ...this.#fail(index, part)];
    }
    // Nothing of it can have landed. Perhaps the registry does not like to wait: hold back less.
    part.phase = 'waiting';
    return [...this.#narrow(), { type: 'wait', index, failureCount: 1 }];
  }

  /** The attempt's tail was held back for as long as may be. */
  holdExpired(index: number, attempt: number): SessionCommand[] {
    const part = this.#current(index, attempt);
    if (part === undefined || part.phase !== 'held') return [];
    part.phase = 'ready';
    return [{ type: 'cancel', index }, ...this.#narrow(), ...this.#fillWindow()];
  }

  /** The wait is over. */
  due(index: number): SessionCommand[] {
    const part = this.#parts.get(index);
    if (part === undefined || part.phase !== 'waiting') return [];
    part.phase = 'ready';
    return this.#fillWindow();
  }

  #current(index: number, attempt: number): PartState | undefined {
    const part = this.#parts.get(index);
    const onWire = part?.phase === 'held' || part?.phase === 'sent';
    return onWire && part.attempt === attempt ? part : undefined;
  }

  #isHead(part: PartState): boolean {
    return part.range.firstByte === this.#committedBytes;
  }

  #commit(index: number, part: PartState, reading: CommitReading = NO_READING): SessionCommand[] {
    const isFull = this.inFlightCount >= this.#window.size;
    this.#parts.delete(index);
    this.#committedCount += 1;
    this.#committedBytes = part.range.endByte;
    const commands: SessionCommand[] = [];
    const next = this.#parts.get(index + 1);
    // Before all else: the registry waits for it.
    if (next?.phase === 'held') {
      next.phase = 'sent';
      commands.push({ type: 'release', index: index + 1 });
    }
    commands.push({ type: 'committed', index, attempt: part.attempt });
    if (this.#window.committed(reading, isFull)) commands.push(this.#windowChanged());
    return [...commands, ...this.#fillWindow()];
  }

  #fail(index: number, part: PartState): SessionCommand[] {
    part.phase = 'waiting';
    part.failureCount += 1;
    return part.failureCount >= this.#failuresMax
      ? [{ type: 'exhausted', index }]
      : [{ type: 'wait', index, failureCount: part.failureCount }];
  }

  #narrow(): SessionCommand[] {
    return this.#window.broken() ? [this.#windowChanged()] : [];
  }

  #windowChanged(): SessionCommand {
    return { type: 'window', size: this.#window.size };
  }

  #fillWindow(): SessionCommand[] {
    const commands: SessionCommand[] = [];
    const endIndex = Math.min(this.#committedCount + this.#window.size, this.#addedCount);
    for (let index = this.#committedCount; index < endIndex; index += 1) {
      const part = this.#parts.get(index);
      if (part === undefined || part.phase !== 'ready') continue;
      const held = !this.#isHead(part);
      part.phase = held ? 'held' : 'sent';
      part.attempt += 1;
      commands.push({ type: 'transmit', index, attempt: part.attempt, held });
    }
    return commands;
  }
}
