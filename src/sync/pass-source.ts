/** A source that is read in a shared pass, and by itself from where it left the pass. */

import { abortable } from '../abort.ts';
import type { LayerSource, OpenSource } from '../layer/layer-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import { type PassMember, PIECE_BYTES_MAX, type SharedPass } from './joint-pass.ts';

export class PassSource implements OpenSource {
  readonly sizeBytes: number | undefined;
  readonly rereadable: boolean;
  readonly cheapToReread = false;
  readonly #pass: SharedPass;
  readonly #member: PassMember & { position: number };
  readonly #source: LayerSource;
  readonly #shared: OpenSource;
  #own: Promise<OpenSource> | undefined;
  #ownOpened: OpenSource | undefined;

  /** @param member is in the pass */
  constructor(pass: SharedPass, member: PassMember & { position: number }, source: LayerSource) {
    this.#pass = pass;
    this.#member = member;
    this.#source = source;
    this.#shared = pass.opened;
    this.sizeBytes = this.#shared.sizeBytes;
    this.rereadable = this.#shared.rereadable;
  }

  get receivedBytes(): number | undefined {
    return this.#own === undefined ? this.#shared.receivedBytes : this.#ownOpened?.receivedBytes;
  }

  async read(target: Uint8Array, firstByte: number, signal: AbortSignal): Promise<number> {
    const [pass, member] = [this.#pass, this.#member];
    let filled = 0;
    while (filled < target.length && pass.has(member)) {
      const piece = pass.unread(member).subarray(0, target.length - filled);
      if (piece.length > 0) {
        target.set(piece, filled);
        filled += piece.length;
        member.position += piece.length;
        continue;
      }
      if (pass.isAtEnd(member)) {
        if (filled > 0) return filled;
        return abortable(pass.readSurplus(target), signal);
      }
      await this.#turn(signal);
    }
    if (filled === target.length) return filled;
    return filled + (await this.#readAlone(target.subarray(filled), firstByte + filled, signal));
  }

  assertUnchanged(): Promise<void> {
    return this.#ownOpened?.assertUnchanged() ?? this.#pass.assertUnchanged();
  }

  async close(): Promise<void> {
    this.#pass.leave(this.#member);
    await this.#own?.catch(() => undefined);
    await this.#ownOpened?.close();
  }

  /** Whoever is aborted keeps nobody waiting. */
  async #turn(signal: AbortSignal): Promise<void> {
    try {
      await abortable(this.#pass.next(this.#member), signal);
    } catch (error) {
      if (signal.aborted) this.#pass.leave(this.#member);
      throw error;
    }
  }

  async #readAlone(target: Uint8Array, firstByte: number, signal: AbortSignal): Promise<number> {
    // It left when it had everything.
    if (this.#own === undefined && firstByte >= (this.sizeBytes ?? Number.POSITIVE_INFINITY))
      return 0;
    this.#own ??= this.#openOwn(firstByte, signal);
    const own = await this.#own;
    return own.read(target, firstByte, signal);
  }

  async #openOwn(firstByte: number, signal: AbortSignal): Promise<OpenSource> {
    const { label } = this.#source;
    if (!this.rereadable) {
      throw sourceUnreadable(label, new Error('it can be read only once, and others were faster'));
    }
    const own = await this.#source.open(signal);
    this.#ownOpened = own;
    if (own.startsAnywhere !== true) await skip(own, firstByte, signal);
    return own;
  }
}

/** Reads up to where the reading shall begin. */
async function skip(source: OpenSource, endByte: number, signal: AbortSignal): Promise<void> {
  const scratch = new Uint8Array(Math.min(endByte, PIECE_BYTES_MAX));
  for (let at = 0; at < endByte;) {
    const area = scratch.subarray(0, endByte - at);
    const count = await source.read(area, at, signal);
    // Ended early: whoever reads on is told by the source.
    if (count < area.length) return;
    at += count;
  }
}
