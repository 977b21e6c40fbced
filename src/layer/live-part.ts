/** A part from its permit to its acknowledgement, and what can be seen of it on the wire. */

import { MIB } from '../limits.ts';
import { readWiredBytes, readWiredMs, writeWiredBytes } from './part-memory.ts';
import { writePhase } from './part-phase.ts';
import type { ReadyPart } from './part-preparation.ts';
import type { RegistryFault } from './ports.ts';
import { type CommitReading, NO_READING } from './window.ts';

export interface LivePart extends ReadyPart {
  readonly startedAtMs: number;
  openGate: (() => void) | undefined;
  cancel: AbortController | undefined;
  holdTimer: NodeJS.Timeout | undefined;
  waitTimer: NodeJS.Timeout | undefined;
  /** Settles when no worker touches the part's memory any more. */
  sending: Promise<void>;
  lastFault: RegistryFault | undefined;
  /** When the current attempt was given to the registry. */
  sentAtMs: number;
  /** What it took the socket to take all but the tail, if it had when the tail was released. */
  heldWireMs: number | undefined;
}

/**
 * A socket takes bytes that have not arrived yet: what it took last is believed to be there after
 * this much of the time that it took so far.
 */
const SETTLE_SHARE = 0.25;

/** The time of a smaller body says more about the way to the wire than about the wire. */
const MEASURED_BYTES_MIN: number = 4 * MIB;

export function livePart(ready: ReadyPart, startedAtMs: number): LivePart {
  return {
    ...ready,
    startedAtMs,
    openGate: undefined,
    cancel: undefined,
    holdTimer: undefined,
    waitTimer: undefined,
    sending: Promise.resolve(),
    lastFault: undefined,
    sentAtMs: 0,
    heldWireMs: undefined,
  };
}

/** The next attempt begins with its first byte. */
export function noteSent(part: LivePart): void {
  writeWiredBytes(part.prepared.shared, 0);
  writePhase(part.prepared.shared, 'rate');
  part.sentAtMs = performance.now();
  part.heldWireMs = undefined;
}

/** The tail goes next: what the wire took until now is still to be seen. */
export function noteReleased(part: LivePart): void {
  if (isWired(part)) part.heldWireMs = readWiredMs(part.prepared.shared);
}

/** The registry holds a request from its first bytes on: what waits on our side is not held yet. */
export function watchHold(part: LivePart, tailHoldMs: number, onExpired: () => void): void {
  part.holdTimer = setTimeout(() => {
    if (readWiredBytes(part.prepared.shared) === 0) watchHold(part, tailHoldMs, onExpired);
    else onExpired();
  }, tailHoldMs);
}

/** Of a part that has just been acknowledged, and of those that follow it. */
export function readCommit(live: ReadonlyMap<number, LivePart>, index: number): CommitReading {
  const nowMs = performance.now();
  let arrivedCount = 0;
  for (;;) {
    const next = live.get(index + arrivedCount + 1);
    if (next === undefined || !hasArrived(next, nowMs)) break;
    arrivedCount += 1;
  }
  const part = live.get(index);
  if (part === undefined) return { ...NO_READING, arrivedCount };
  const wireMs = part.heldWireMs ?? readWiredMs(part.prepared.shared);
  const { bodyLengthBytes } = part.prepared;
  return {
    arrivedCount,
    wireMsPerByte: bodyLengthBytes >= MEASURED_BYTES_MIN ? wireMs / bodyLengthBytes : undefined,
  };
}

/** Layer bytes that sockets took of a part that is on the wire. */
export function wiredLayerBytes({ prepared, openGate, cancel }: LivePart): number {
  if (openGate === undefined && cancel === undefined) return 0;
  const share = readWiredBytes(prepared.shared) / prepared.bodyLengthBytes;
  return Math.floor(share * (prepared.endByte - prepared.firstByte));
}

function hasArrived(part: LivePart, nowMs: number): boolean {
  if (part.cancel === undefined || !isWired(part)) return false;
  return nowMs >= part.sentAtMs + readWiredMs(part.prepared.shared) * (1 + SETTLE_SHARE);
}

function isWired({ prepared }: LivePart): boolean {
  const { shared, bodyLengthBytes, tailLengthBytes } = prepared;
  return readWiredBytes(shared) >= bodyLengthBytes - tailLengthBytes;
}
