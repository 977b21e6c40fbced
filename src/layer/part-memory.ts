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
import { MIB } from '../limits.ts';
import { IdleBalance } from './idle-balance.ts';
import { MemoryQueue, type MemoryWaiter } from './memory-queue.ts';
import { WirePace } from './wire-pace.ts';

/**
 * Bytes before the body: four 32-bit numbers, namely the body bytes that the socket took, when it was
 * given the first of them and when it took the last, both in milliseconds of one thread's clock, and
 * what the part waits for (`part-phase.ts`).
 */
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

/** From the first byte's turn to when the socket took the last so far, milliseconds. */
export function readWiredMs(shared: SharedArrayBuffer): number {
  const times = new Uint32Array(shared, 4, 2);
  return (Atomics.load(times, 1) - Atomics.load(times, 0)) >>> 0;
}

/** Notes how many body bytes the socket has taken; 0 when an attempt begins. */
export function writeWiredBytes(shared: SharedArrayBuffer, bytes: number): void {
  const nowMs = Math.round(performance.now());
  const times = new Uint32Array(shared, 4, 2);
  if (bytes === 0) Atomics.store(times, 0, nowMs);
  Atomics.store(times, 1, nowMs);
  // Last: who sees the count must not read an older time.
  Atomics.store(new Uint32Array(shared, 0, 1), 0, bytes);
}

/** Given freely; beyond it memory has to be of use. */
const FIRST_SHARE_BYTES: number = 64 * MIB;
/** How much longer somebody must have waited with idle threads than with busy ones for one part more. */
const IDLE_WAIT_MS = 50;
/** Memory beyond the first share that nobody has used for so long is let go. */
const UNUSED_MS = 1000;

/**
 * Part memory under a hard cap; the largest remaining layer is served first. A first share is given
 * freely. Beyond it memory grows part by part, and only as long as somebody waits for it while no
 * thread has anything to prepare and the line is not full. Memory given back is kept for the next part of the same size, so a
 * steady upload allocates nothing.
 */
export class PartMemory {
  readonly #bytesMax: number;
  readonly #firstShareBytes: number;
  readonly #free: SharedArrayBuffer[] = [];
  readonly #queue = new MemoryQueue();
  readonly #idle = new IdleBalance(IDLE_WAIT_MS);
  readonly #pace = new WirePace();
  #allocatedBytes = 0;
  #usedBytes = 0;
  /** What may be allocated now. */
  #limitBytes: number;
  #preparingCount = 0;
  #growthTimer: NodeJS.Timeout | undefined;
  /** Least room below the limit since `#unusedSinceMs`. */
  #unusedBytes = 0;
  #unusedSinceMs = 0;

  /** @param bytesMax cap on all memory handed out or kept */
  constructor(bytesMax: number, firstShareBytes: number = FIRST_SHARE_BYTES) {
    this.#bytesMax = bytesMax;
    this.#firstShareBytes = Math.min(firstShareBytes, bytesMax);
    this.#limitBytes = this.#firstShareBytes;
  }

  /** Memory that now exists, in use or kept for the next part; never above the cap. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /**
   * Waits for `sizeBytes` (at most the cap) in one piece. Give it back with {@link release}.
   * @param remainingBytes of the layer, this part included; Infinity if it is not known
   */
  async acquire(
    sizeBytes: number,
    remainingBytes: number,
    signal: AbortSignal,
  ): Promise<SharedArrayBuffer> {
    signal.throwIfAborted();
    if (sizeBytes > this.#bytesMax) throw new RangeError(`${sizeBytes} bytes exceed the cap`);
    const { promise, grant } = grantLater();
    const waiter: MemoryWaiter = { sizeBytes, remainingBytes, grant };
    this.#queue.add(waiter);
    this.#serve();
    try {
      return await abortable(promise, signal);
    } catch (error) {
      // Granted and aborted in the same turn: the memory is ours to give back.
      if (!this.#queue.giveUp(waiter)) this.release(await promise);
      else this.#serve();
      throw error;
    }
  }

  /** Gives memory back; nobody may touch it afterwards. */
  release(shared: SharedArrayBuffer): void {
    this.#free.push(shared);
    this.#usedBytes -= shared.byteLength;
    this.#serve();
  }

  /** A part of any layer took so long on the wire. */
  noteWire(msPerByte: number | undefined): void {
    this.#pace.measure(msPerByte);
    this.#watchIdle();
  }

  /** A part is being read, hashed or encoded from now on. @returns what ends that, to be called once */
  beginPreparation(): () => void {
    this.#preparingCount += 1;
    this.#watchIdle();
    return () => {
      this.#preparingCount -= 1;
      this.#watchIdle();
    };
  }

  #serve(): void {
    for (let waiter = this.#queue.next; waiter !== undefined; waiter = this.#queue.next) {
      const shared = this.#take(waiter.sizeBytes);
      if (shared === undefined) break;
      this.#queue.serve(waiter);
      waiter.grant(shared);
    }
    this.#dropUnused();
    this.#watchIdle();
  }

  #take(sizeBytes: number): SharedArrayBuffer | undefined {
    // A part larger than the share gets its memory too, once it is alone.
    const limitBytes = Math.max(this.#limitBytes, sizeBytes);
    if (this.#usedBytes + sizeBytes > limitBytes) return undefined;
    this.#usedBytes += sizeBytes;
    const same = this.#free.findIndex((shared) => shared.byteLength === sizeBytes);
    const [kept] = same < 0 ? [] : this.#free.splice(same, 1);
    this.#dropFree(limitBytes - (kept === undefined ? sizeBytes : 0));
    if (kept !== undefined) return kept;
    this.#allocatedBytes += sizeBytes;
    return new SharedArrayBuffer(sizeBytes);
  }

  /** Drops what is kept, the oldest first, as long as there is more than `limitBytes` in all. */
  #dropFree(limitBytes: number): void {
    while (this.#allocatedBytes > limitBytes) {
      const dropped = this.#free.shift();
      if (dropped === undefined) return;
      this.#allocatedBytes -= dropped.byteLength;
    }
  }

  /** Whoever is next could have its memory if there were more. */
  get #growthBytes(): number {
    const next = this.#queue.next;
    if (next === undefined) return 0;
    const neededBytes = this.#usedBytes + next.sizeBytes;
    return neededBytes > this.#bytesMax ? 0 : neededBytes;
  }

  /** The timer is there only while somebody waits and nothing is prepared. */
  #watchIdle(): void {
    clearTimeout(this.#growthTimer);
    const isIdle = this.#growthBytes > 0 && this.#preparingCount === 0 && !this.#pace.isLineFull;
    this.#idle.turn(isIdle, performance.now());
    if (!isIdle) return;
    this.#growthTimer = setTimeout(() => this.#grow(), Math.max(0, this.#idle.missingMs));
  }

  #grow(): void {
    this.#limitBytes = Math.max(this.#limitBytes, this.#growthBytes);
    this.#idle.turn(true, performance.now());
    this.#idle.clear();
    this.#serve();
  }

  /** Lets go of what is beyond the first share once nobody has needed it for a while, or at all. */
  #dropUnused(): void {
    const nowMs = performance.now();
    const roomBytes = this.#queue.isEmpty ? Math.max(0, this.#limitBytes - this.#usedBytes) : 0;
    this.#unusedBytes = Math.min(this.#unusedBytes, roomBytes);
    if (this.#usedBytes === 0) this.#unusedBytes = roomBytes;
    else if (nowMs < this.#unusedSinceMs + UNUSED_MS) return;
    this.#limitBytes = Math.max(this.#firstShareBytes, this.#limitBytes - this.#unusedBytes);
    this.#dropFree(this.#limitBytes);
    this.#unusedBytes = roomBytes;
    this.#unusedSinceMs = nowMs;
  }
}

function grantLater(): {
  readonly promise: Promise<SharedArrayBuffer>;
  readonly grant: (shared: SharedArrayBuffer) => void;
} {
  let grant: (shared: SharedArrayBuffer) => void = () => undefined;
  const promise = new Promise<SharedArrayBuffer>((resolve) => {
    grant = resolve;
  });
  return { promise, grant };
}
