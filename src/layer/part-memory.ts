/**
 * The layout of a part's shared memory, and the one place that hands such memory out.
 *
 * A part lives in a single SharedArrayBuffer from its first byte to its acknowledgement: a small
 * header with a progress counter, then room for the request body. Raw bytes that come through the
 * main thread are staged at the very end; the worker encodes them towards the front, and since base64
 * grows by a third, its pen never overtakes its eye. So the bytes exist once, and any thread can
 * build, send or re-send the body.
 */

import { abortable } from '../abort.ts';

/** Bytes before the body: a 32-bit count of body bytes that the socket took, and padding. */
export const PART_HEADER_BYTES = 16;

/** Room for prefix and suffix: names of at most 256 characters, numbers, a UUID and JSON. */
const PART_FRAMING_MAX_BYTES = 1024;

/** Shared memory that a part of `partSizeBytes` needs. */
export function partMemoryBytes(partSizeBytes: number): number {
  return PART_HEADER_BYTES + 4 * Math.ceil(partSizeBytes / 3) + PART_FRAMING_MAX_BYTES;
}

/** The last `lengthBytes` of a part's memory, where raw bytes are staged. */
export function stagingArea(shared: SharedArrayBuffer, lengthBytes: number): Uint8Array {
  return new Uint8Array(shared, shared.byteLength - lengthBytes, lengthBytes);
}

/** Body bytes that the socket has taken so far. */
export function readWiredBytes(shared: SharedArrayBuffer): number {
  return Atomics.load(new Uint32Array(shared, 0, 1), 0);
}

/** Notes how many body bytes the socket has taken. */
export function writeWiredBytes(shared: SharedArrayBuffer, bytes: number): void {
  Atomics.store(new Uint32Array(shared, 0, 1), 0, bytes);
}

interface Waiter {
  readonly sizeBytes: number;
  readonly grant: (shared: SharedArrayBuffer) => void;
}

/**
 * Part memory under a hard cap, first come first served. Memory given back is kept for the next part
 * of the same size, so a steady upload allocates nothing.
 */
export class PartMemory {
  readonly #bytesMax: number;
  readonly #free: SharedArrayBuffer[] = [];
  readonly #waiters: Waiter[] = [];
  #allocatedBytes = 0;

  /** @param bytesMax cap on all memory handed out or kept */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Memory that now exists, in use or kept for the next part; never above the cap. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** Waits for `sizeBytes` (at most the cap) in one piece. Give it back with {@link release}. */
  async acquire(sizeBytes: number, signal: AbortSignal): Promise<SharedArrayBuffer> {
    signal.throwIfAborted();
    if (sizeBytes > this.#bytesMax) throw new RangeError(`${sizeBytes} bytes exceed the cap`);
    if (this.#waiters.length === 0) {
      const shared = this.#take(sizeBytes);
      if (shared !== undefined) return shared;
    }
    let waiter: Waiter | undefined;
    const granted = new Promise<SharedArrayBuffer>((resolve) => {
      waiter = { sizeBytes, grant: resolve };
      this.#waiters.push(waiter);
    });
    try {
      return await abortable(granted, signal);
    } catch (error) {
      const position = waiter === undefined ? -1 : this.#waiters.indexOf(waiter);
      if (position >= 0) {
        this.#waiters.splice(position, 1);
        this.#serve();
      } else {
        // Granted and aborted in the same turn: the memory is ours to give back.
        this.release(await granted);
      }
      throw error;
    }
  }

  /** Gives memory back; nobody may touch it afterwards. */
  release(shared: SharedArrayBuffer): void {
    this.#free.push(shared);
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const waiter = this.#waiters[0];
      if (waiter === undefined) return;
      const shared = this.#take(waiter.sizeBytes);
      if (shared === undefined) return;
      this.#waiters.shift();
      waiter.grant(shared);
    }
  }

  #take(sizeBytes: number): SharedArrayBuffer | undefined {
    const same = this.#free.findIndex((shared) => shared.byteLength === sizeBytes);
    if (same >= 0) return this.#free.splice(same, 1)[0];
    while (this.#allocatedBytes + sizeBytes > this.#bytesMax) {
      const dropped = this.#free.shift();
      if (dropped === undefined) return undefined;
      this.#allocatedBytes -= dropped.byteLength;
    }
    this.#allocatedBytes += sizeBytes;
    return new SharedArrayBuffer(sizeBytes);
  }
}
