import { describe, expect, test, vi } from 'vitest';
import {
  livePart,
  type LivePart,
  noteReleased,
  noteSent,
  readCommit,
  watchHold,
  wiredLayerBytes,
} from '../../src/layer/live-part.ts';
import { partFault, stallOf } from '../../src/layer/part-fault.ts';
import { movementsOf, partGauge, wiredBytesOf } from '../../src/layer/part-gauge.ts';
import {
  partMemoryBytes,
  readWiredBytes,
  readWiredMs,
  writeWiredBytes,
} from '../../src/layer/part-memory.ts';
import { type PartPhase, readPhase, writePhase } from '../../src/layer/part-phase.ts';
import { MIB } from '../../src/limits.ts';
import { withClock } from './layer-rig.ts';
import { faultOf } from './model-registry.ts';

const BODY_BYTES = 4 * MIB;
const TAIL_BYTES = 100;
const WHOLE_BYTES = BODY_BYTES - TAIL_BYTES;
const TARGET = { repository: 'team/app', uploadId: 'one' };

withClock();

/** A part of 3 MiB that was sent a moment ago. @param bodyLengthBytes base64 adds a third */
function partOf(index = 0, bodyLengthBytes = BODY_BYTES): LivePart {
  const prepared = {
    firstByte: index * 3 * MIB,
    endByte: (index + 1) * 3 * MIB,
    shared: new SharedArrayBuffer(partMemoryBytes(16)),
    bodyLengthBytes,
    tailLengthBytes: TAIL_BYTES,
    bodySha256: '',
  };
  const part = livePart({ prepared, release: () => undefined }, performance.now());
  noteSent(part);
  part.cancel = new AbortController();
  return part;
}

/** The socket has taken so many bytes after so long. */
function take(part: LivePart, bytes: number, afterMs = 0): void {
  vi.advanceTimersByTime(afterMs);
  writeWiredBytes(part.prepared.shared, bytes);
}

function liveOf(...parts: LivePart[]): Map<number, LivePart> {
  return new Map(parts.entries());
}

describe('a part that is sent', () => {
  test('begins with its first byte, and waits for its rate', () => {
    const part = partOf();
    take(part, 7, 30);
    writePhase(part.prepared.shared, 'reply');
    part.heldWireMs = 5;
    noteSent(part);
    expect(readWiredBytes(part.prepared.shared)).toBe(0);
    expect(readWiredMs(part.prepared.shared)).toBe(0);
    expect(readPhase(part.prepared.shared)).toBe('rate');
    expect(part).toMatchObject({ sentAtMs: performance.now(), heldWireMs: undefined });
  });

  test('tells what it took to arrive, for each byte', () => {
    const part = partOf();
    take(part, BODY_BYTES, 40);
    expect(readCommit(liveOf(part), 0).wireMsPerByte).toBe(40 / BODY_BYTES);
  });

  test('whose body is small tells nothing of the wire', () => {
    const part = partOf(0, BODY_BYTES - 1);
    take(part, BODY_BYTES - 1, 40);
    expect(readCommit(liveOf(part), 0).wireMsPerByte).toBeUndefined();
  });

  test('and held tells what it took until its tail was let go', () => {
    const part = partOf();
    take(part, WHOLE_BYTES, 40);
    vi.advanceTimersByTime(500);
    noteReleased(part);
    take(part, BODY_BYTES, 10);
    expect(readCommit(liveOf(part), 0).wireMsPerByte).toBe(40 / BODY_BYTES);
  });

  test('and not there yet when its tail was let go tells what it took in all', () => {
    const part = partOf();
    take(part, WHOLE_BYTES - 1, 40);
    noteReleased(part);
    take(part, BODY_BYTES, 10);
    expect(readCommit(liveOf(part), 0).wireMsPerByte).toBe(50 / BODY_BYTES);
  });

  test('that nobody knows any more tells nothing', () => {
    expect(readCommit(new Map(), 3)).toEqual({ arrivedCount: 0, wireMsPerByte: undefined });
  });
});

describe('the parts behind one that is acknowledged', () => {
  test('have arrived when the socket took all but their tails, and a quarter of that time has passed', () => {
    const [first, second] = [partOf(0), partOf(1)];
    take(second, WHOLE_BYTES, 40);
    vi.advanceTimersByTime(9);
    expect(readCommit(liveOf(first, second), 0).arrivedCount).toBe(0);
    vi.advanceTimersByTime(1);
    expect(readCommit(liveOf(first, second), 0).arrivedCount).toBe(1);
  });

  test('have not arrived as long as a byte before the tail is missing', () => {
    const [first, second] = [partOf(0), partOf(1)];
    take(second, WHOLE_BYTES - 1, 40);
    vi.advanceTimersByTime(100);
    expect(readCommit(liveOf(first, second), 0).arrivedCount).toBe(0);
  });

  test('count one after the other, up to the first that is missing', () => {
    const parts = [0, 1, 2, 3, 4].map((index) => partOf(index));
    for (const index of [1, 2, 4]) take(parts[index] ?? partOf(), WHOLE_BYTES);
    vi.advanceTimersByTime(10);
    expect(readCommit(liveOf(...parts), 0).arrivedCount).toBe(2);
    expect(readCommit(liveOf(...parts), 3).arrivedCount).toBe(1);
    expect(readCommit(liveOf(...parts), 4).arrivedCount).toBe(0);
  });

  test('have not arrived where they wait to be sent again', () => {
    const [first, second] = [partOf(0), partOf(1)];
    take(second, WHOLE_BYTES);
    vi.advanceTimersByTime(10);
    second.cancel = undefined;
    expect(readCommit(liveOf(first, second), 0).arrivedCount).toBe(0);
  });
});

describe('a tail that is held', () => {
  test('is held for its time once the registry has seen the first byte', () => {
    const part = partOf();
    let expiredCount = 0;
    watchHold(part, 100, () => {
      expiredCount += 1;
    });
    vi.advanceTimersByTime(150);
    expect(expiredCount).toBe(0);
    take(part, 1);
    vi.advanceTimersByTime(49);
    expect(expiredCount).toBe(0);
    vi.advanceTimersByTime(1);
    expect(expiredCount).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(expiredCount).toBe(1);
  });

  test('is watched by a timer that can be cleared', () => {
    const part = partOf();
    watchHold(part, 100, () => undefined);
    vi.advanceTimersByTime(150);
    clearTimeout(part.holdTimer);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('layer bytes on the wire', () => {
  test('are the share of the body that the socket took, in whole bytes', () => {
    const part = partOf();
    expect(wiredLayerBytes(part)).toBe(0);
    take(part, BODY_BYTES / 2 + 1);
    expect(wiredLayerBytes(part)).toBe((3 * MIB) / 2);
    take(part, BODY_BYTES);
    expect(wiredLayerBytes(part)).toBe(3 * MIB);
  });

  test('are none of a part that waits to be sent again', () => {
    const part = partOf();
    take(part, BODY_BYTES);
    part.cancel = undefined;
    expect(wiredLayerBytes(part)).toBe(0);
    part.openGate = () => undefined;
    expect(wiredLayerBytes(part)).toBe(3 * MIB);
  });

  test('add up', () => {
    const parts = [partOf(0), partOf(1), partOf(2)];
    for (const part of parts) take(part, BODY_BYTES / 4);
    expect(wiredBytesOf(liveOf(...parts))).toBe((9 * MIB) / 4);
    expect(wiredBytesOf(liveOf())).toBe(0);
  });
});

describe('what should move', () => {
  test('is each part on the wire, with a mark that changes with its bytes and its attempt', () => {
    const [first, second] = [partOf(0), partOf(1)];
    writePhase(first.prepared.shared, 'socket');
    second.cancel = undefined;
    const sentAtMs = performance.now();
    take(first, 7);
    expect(movementsOf(liveOf(first, second), undefined, undefined)).toEqual([
      { key: 'part 0', waitingFor: 'socket', partIndex: 0, mark: `${sentAtMs} 7` },
    ]);
  });

  test('is the part that is prepared, with what the source has given', () => {
    const wait = { partIndex: 3, waitingFor: 'source' } as const;
    expect(movementsOf(liveOf(), wait, 70)).toEqual([
      { key: 'preparation', waitingFor: 'source', partIndex: 3, mark: '3 70' },
    ]);
  });

  test('is the one part that is sent to find out where the registry is', () => {
    const { prepared } = partOf(2);
    writeWiredBytes(prepared.shared, 7);
    writePhase(prepared.shared, 'reply');
    const gauge = partGauge({ endByte: 6 * MIB, partCount: 2 }, prepared);
    expect(gauge.onWire).toEqual({ partsInFlight: 1, wiredBytes: 6 * MIB });
    expect(gauge.movements).toEqual([
      { key: 'part 2', waitingFor: 'reply', partIndex: 2, mark: '0 7' },
    ]);
  });
});

describe('what a part waits for', () => {
  test.each([
    'rate',
    'credentials',
    'worker',
    'connection',
    'socket',
    'predecessor',
    'reply',
  ] satisfies PartPhase[])('is in its memory: %s', (phase) => {
    const part = partOf();
    take(part, 7, 30);
    writePhase(part.prepared.shared, phase);
    expect(readPhase(part.prepared.shared)).toBe(phase);
    // Beside what else is there.
    expect(readWiredBytes(part.prepared.shared)).toBe(7);
    expect(readWiredMs(part.prepared.shared)).toBe(30);
  });

  test('is its rate where nobody can tell', () => {
    const { shared } = partOf().prepared;
    new Uint32Array(shared).fill(1_000);
    expect(readPhase(shared)).toBe('rate');
  });
});

describe('why a part has failed', () => {
  test('is its last fault; without one the reply has named another byte', () => {
    const part = partOf();
    expect(partFault(part, TARGET)).toMatchObject({
      kind: 'ambiguous',
      error: { code: 'E_REGISTRY_PROTOCOL', details: { repository: 'team/app' } },
    });
    part.lastFault = faultOf('throttled', 'E_THROTTLED');
    expect(partFault(part, TARGET)).toBe(part.lastFault);
  });

  test('is a stall where its time was over', () => {
    const part = partOf();
    writePhase(part.prepared.shared, 'connection');
    expect(stallOf(part)).toBeUndefined();
    part.lastFault = faultOf('ambiguous', 'E_NETWORK', {}, { waitedMs: 90 });
    expect(stallOf(part)).toBeUndefined();
    part.lastFault = faultOf('ambiguous', 'E_TIMEOUT', {}, { waitedMs: 90 });
    expect(stallOf(part)).toEqual({ waitingFor: 'connection', waitedMs: 90 });
  });
});
