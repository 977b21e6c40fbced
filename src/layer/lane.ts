/**
 * Drives one upload id from its first byte to its last acknowledgement: prepares parts in order,
 * carries out what the session commands, and gives every buffer and permit back on every path.
 */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { LaneLost } from './lane-lost.ts';
import type { JournalledProgress, LayerJournal } from './layer-journal.ts';
import type { LayerProgress } from './layer-progress.ts';
import {
  type LivePart,
  livePart,
  noteReleased,
  noteSent,
  readCommit,
  watchHold,
} from './live-part.ts';
import { NoticeQueue } from './notice-queue.ts';
import { partFault, stallOf } from './part-fault.ts';
import { movementsOf, type PreparationWait, wiredBytesOf } from './part-gauge.ts';
import { assertSourceEnds, type PartPreparationOptions, preparePart } from './part-preparation.ts';
import { type LayerRegistry, RegistryFault } from './ports.ts';
import { backoffMs, isTransient, type RetryPolicy } from './retry.ts';
import { sourceEmpty } from './source-errors.ts';
import type { Movement, StallAction, WaitingFor } from './stall-watch.ts';
import { type SessionCommand, UploadSession } from './upload-session.ts';

export interface LaneOptions extends PartPreparationOptions {
  readonly registry: Pick<LayerRegistry, 'sendPart'>;
  readonly partsInFlight: number;
  readonly tailHoldMs: number;
  readonly retry: RetryPolicy;
  readonly progress: LayerProgress;
  readonly journal: LayerJournal | undefined;
  /** What the registry has already; source and digest are that far too. */
  readonly start: JournalledProgress;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #session: UploadSession;
  readonly #live = new Map<number, LivePart>();
  readonly #stop = new AbortController();
  readonly #notices = new NoticeQueue();
  /** Called when room, progress or failure may let the producer or the end go on. */
  #wake: () => void = () => undefined;
  #sentBytes = 0;
  #preparing: PreparationWait | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { partsInFlight, retry, start } = options;
    this.#session = new UploadSession(partsInFlight, retry.attemptsMax, start);
  }

  /** Layer bytes handed to the wire, repeats included. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Parts on the wire now, and layer bytes that sockets took of parts not yet committed. */
  get onWire(): { readonly partsInFlight: number; readonly wiredBytes: number } {
    const wiredBytes = this.#session.committedBytes + wiredBytesOf(this.#live);
    return { partsInFlight: this.#session.inFlightCount, wiredBytes };
  }

  /** What should move: the parts on the wire, and the one that is prepared. */
  get movements(): readonly Movement[] {
    return movementsOf(this.#live, this.#preparing, this.#options.source.receivedBytes);
  }

  /**
   * Sends every part. Resolves when the registry has acknowledged all of them.
   * @throws LaneLost if a new upload is needed; LongshoreError otherwise; the signal's reason
   */
  async run(
    signal: AbortSignal,
  ): Promise<{ digest: Digest; sizeBytes: number; partCount: number }> {
    const onAbort = (): void => this.#fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await this.#produce();
      await this.#until(() => this.#session.isDrained);
      const digest = await this.#options.hash.digest();
      this.#stop.signal.throwIfAborted();
      const { committedBytes, committedCount } = this.#session;
      return { digest, sizeBytes: committedBytes, partCount: committedCount };
    } catch (error) {
      // With the thread the digest of all bytes so far is gone.
      const startAgain = LongshoreError.is(error, 'E_WORKER_LOST');
      this.#fail(startAgain ? new LaneLost(error) : error);
      throw this.#stop.signal.reason;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#notices.flush();
      await this.#clear();
    }
  }

  /** Prepares the parts in order, as far ahead as session, permits and memory allow. */
  async #produce(): Promise<void> {
    const { plan, source, sourceLabel, start } = this.#options;
    const stop = this.#stop.signal;
    let firstByte = start.endByte;
    for (let index = start.partCount; ; index += 1) {
      const range = plan.partAt(index, firstByte);
      if (range === undefined) break;
      await this.#until(() => this.#session.hasRoom);
      const startedAtMs = performance.now();
      const ready = await preparePart(this.#options, range, stop, (waitingFor) => {
        this.#preparing = { partIndex: index, waitingFor };
      });
      this.#preparing = undefined;
      if (ready === undefined) break;
      this.#live.set(index, livePart(ready, startedAtMs));
      firstByte = ready.prepared.endByte;
      this.#perform(this.#session.add(ready.prepared));
      // A stream's short part is its last.
      if (firstByte < range.endByte) break;
    }
    if (firstByte === 0) throw sourceEmpty(sourceLabel);
    await assertSourceEnds(source, sourceLabel, firstByte, stop);
  }

  #perform(commands: readonly SessionCommand[]): void {
    for (const command of commands) {
      if (this.#stop.signal.aborted) return;
      if (command.type === 'window') {
        const { size } = command;
        this.#notices.add(() => this.#options.progress.windowChanged(size));
        continue;
      }
      const part = this.#live.get(command.index);
      if (part === undefined) throw new Error(`no part ${command.index} for ${command.type}`);
      this.#carryOut(command, part);
    }
    this.#wake();
  }

  #carryOut(command: Exclude<SessionCommand, { type: 'window' }>, part: LivePart): void {
    const { index } = command;
    switch (command.type) {
      case 'transmit':
        part.sending = this.#transmit(index, command.attempt, command.held, part).catch(
          (error: unknown) => this.#fail(error),
        );
        return;
      case 'release':
        noteReleased(part);
        part.openGate?.();
        clearTimeout(part.holdTimer);
        return;
      case 'cancel':
        part.cancel?.abort();
        this.#noteStall(index, 'predecessor', this.#options.tailHoldMs, 'narrower-window');
        return;
      case 'committed':
        this.#committed(index, command.attempt, part);
        return;
      case 'wait': {
        const { failureCount } = command;
        const fault = partFault(part, this.#options.target);
        const delayMs = backoffMs(fault, failureCount, this.#options.retry);
        const what = [fault, failureCount, delayMs, index, stallOf(part)?.waitingFor] as const;
        const { progress } = this.#options;
        this.#notices.add(() => progress.callRetried('UploadLayerPart', ...what));
        part.waitTimer = setTimeout(() => this.#perform(this.#session.due(index)), delayMs);
        return;
      }
      case 'exhausted': {
        const stall = stallOf(part);
        if (stall !== undefined) this.#noteStall(index, stall.waitingFor, stall.waitedMs, 'failed');
        this.#fail(partFault(part, this.#options.target).error);
        return;
      }
      case 'diverged':
        this.#fail(new LaneLost(partFault(part, this.#options.target).error));
    }
  }

  #noteStall(index: number, waitingFor: WaitingFor, waitedMs: number, action: StallAction): void {
    const what = { waitingFor, partIndex: index };
    this.#notices.add(() => this.#options.progress.stalled(what, waitedMs, action));
  }

  async #transmit(index: number, attempt: number, held: boolean, part: LivePart): Promise<void> {
    // The last attempt may have been cancelled a moment ago; its worker must be done with the bytes.
    const previous = part.sending;
    const cancel = new AbortController();
    part.cancel = cancel;
    let gate: Promise<void> | undefined;
    if (held) {
      gate = new Promise((resolve) => {
        part.openGate = resolve;
      });
      watchHold(part, this.#options.tailHoldMs, () =>
        this.#perform(this.#session.holdExpired(index, attempt)),
      );
    }
    await previous;
    noteSent(part);
    const { prepared } = part;
    const lengthBytes = prepared.endByte - prepared.firstByte;
    let follow: () => SessionCommand[];
    // Nobody is interested in a cancelled attempt's answer; its successor owns the part by now.
    try {
      this.#stop.signal.throwIfAborted();
      this.#sentBytes += lengthBytes;
      if (attempt > 1) this.#options.progress.resent(lengthBytes);
      const { registry, target } = this.#options;
      const signal = AbortSignal.any([cancel.signal, this.#stop.signal]);
      const lastByte = await registry.sendPart(target, prepared, gate, signal);
      part.lastFault = undefined;
      const reading = readCommit(this.#live, index);
      follow = () => {
        // Whoever is waiting for memory is served after the tail has gone.
        this.#notices.add(() => this.#options.memory.noteWire(reading.wireMsPerByte));
        return this.#session.acknowledged(index, attempt, lastByte, reading);
      };
    } catch (error) {
      if (cancel.signal.aborted) return;
      follow = this.#afterFailure(index, attempt, part, error);
    }
    // After a cancelled attempt these belong to the next one.
    if (part.cancel === cancel) {
      clearTimeout(part.holdTimer);
      part.cancel = undefined;
      part.openGate = undefined;
    }
    if (!this.#stop.signal.aborted) this.#perform(follow());
  }

  #afterFailure(
    index: number,
    attempt: number,
    part: LivePart,
    error: unknown,
  ): () => SessionCommand[] {
    if (!(error instanceof RegistryFault)) {
      return () => {
        this.#fail(error);
        return [];
      };
    }
    part.lastFault = error;
    if (error.kind === 'part-out-of-order') {
      return () => this.#session.outOfOrder(index, attempt, error.nextByte);
    }
    const isStalled = stallOf(part) !== undefined;
    if (isTransient(error)) return () => this.#session.failed(index, attempt, isStalled);
    return () => {
      this.#fail(error.kind === 'upload-lost' ? new LaneLost(error.error) : error.error);
      return [];
    };
  }

  #committed(index: number, attempt: number, part: LivePart): void {
    const { prepared } = part;
    this.#live.delete(index);
    part.release();
    const { endByte, savedHash } = prepared;
    this.#options.journal?.note({ endByte, partCount: index + 1, savedHash });
    const durationMs = performance.now() - part.startedAtMs;
    this.#notices.add(() =>
      this.#options.progress.partAcknowledged(index, prepared, attempt, durationMs),
    );
  }

  /** The first failure wins; everything in flight is aborted. */
  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(error);
    this.#wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      if (condition()) return;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await abortable(woken, this.#stop.signal);
    }
  }

  async #clear(): Promise<void> {
    for (const part of this.#live.values()) {
      clearTimeout(part.holdTimer);
      clearTimeout(part.waitTimer);
    }
    await Promise.all([...this.#live.values()].map((part) => part.sending));
    for (const part of this.#live.values()) part.release();
    this.#live.clear();
  }
}
