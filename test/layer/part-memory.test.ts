import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  PartMemory,
  partMemoryBytes,
  readWiredBytes,
  readWiredMs,
  stagingArea,
  writeWiredBytes,
} from '../../src/layer/part-memory.ts';

const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  // Whatever a test did, it has ended with nobody waiting.
  if (left > 0) throw new Error(`${left} timers are left`);
});

/** Lets what is settled be seen. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

describe('part memory', () => {
  test('never exceeds its cap, and serves everybody in the end, whatever is asked and given back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            sizeBytes: fc.integer({ min: 1, max: 50 }),
            remainingBytes: fc.nat({ max: 1000 }),
            givesUp: fc.boolean(),
          }),
          { maxLength: 60 },
        ),
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 0, max: 100 }),
        async (wishes, picks, firstShareBytes) => {
          const memory = new PartMemory(100, firstShareBytes);
          const held: SharedArrayBuffer[] = [];
          let served = 0;
          const wanting = wishes.map(async ({ sizeBytes, remainingBytes, givesUp }) => {
            const abort = new AbortController();
            const grant = memory.acquire(sizeBytes, remainingBytes, abort.signal);
            if (givesUp) abort.abort(new Error('gave up'));
            const shared = await grant.catch(() => undefined);
            served += 1;
            if (shared === undefined) return;
            expect(shared.byteLength).toBe(sizeBytes);
            const endPreparation = memory.beginPreparation();
            held.push(shared);
            await Promise.resolve();
            endPreparation();
          });
          for (let turn = 0; served < wishes.length; turn += 1) {
            const pick = picks[turn % 60] ?? 0;
            const heldBytes = held.reduce((sum, { byteLength }) => sum + byteLength, 0);
            expect(heldBytes).toBeLessThanOrEqual(memory.allocatedBytes);
            expect(memory.allocatedBytes).toBeLessThanOrEqual(100);
            await vi.advanceTimersByTimeAsync(pick % 40);
            const [given] = held.splice(pick % Math.max(held.length, 1), 1);
            if (given !== undefined) memory.release(given);
            if (turn > 5_000) throw new Error('somebody waits for ever');
          }
          await Promise.all(wanting);
          for (const shared of held) memory.release(shared);
          expect(memory.allocatedBytes).toBeLessThanOrEqual(Math.max(firstShareBytes, 0));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('uses memory of the same size again', async () => {
    const memory = new PartMemory(100);
    const first = await memory.acquire(40, 1, never);
    memory.release(first);
    expect(await memory.acquire(40, 1, never)).toBe(first);
    expect(memory.allocatedBytes).toBe(40);
  });

  test('keeps what it has of other sizes as long as there is room', async () => {
    const memory = new PartMemory(100);
    const [first, second] = [
      await memory.acquire(40, 1, never),
      await memory.acquire(60, 1, never),
    ];
    memory.release(first);
    memory.release(second);
    expect(await memory.acquire(40, 1, never)).toBe(first);
    expect(memory.allocatedBytes).toBe(100);
  });

  test('refuses at once what can never be had', async () => {
    const memory = new PartMemory(100);
    await expect(memory.acquire(101, 1, never)).rejects.toThrow(
      new RangeError('101 bytes exceed the cap'),
    );
  });

  test('drops what is kept to make room for another size', async () => {
    const memory = new PartMemory(100);
    memory.release(await memory.acquire(60, 1, never));
    await memory.acquire(50, 1, never);
    expect(memory.allocatedBytes).toBe(50);
  });

  test('serves the largest remaining layer first, and lets no smaller wish slip past it', async () => {
    const memory = new PartMemory(100);
    const first = await memory.acquire(60, 1, never);
    const order: string[] = [];
    const wish = async (name: string, sizeBytes: number, remainingBytes: number) => {
      const shared = await memory.acquire(sizeBytes, remainingBytes, never);
      order.push(name);
      memory.release(shared);
    };
    const wishes = [wish('small', 10, 5), wish('large', 100, 500), wish('stream', 100, Infinity)];
    await settle();
    // The small one came when there was room, and later ones would have had to wait for it.
    expect(order).toEqual(['small']);
    wishes.push(wish('late and small', 10, 7));
    await settle();
    memory.release(first);
    await Promise.all(wishes);
    expect(order).toEqual(['small', 'stream', 'large', 'late and small']);
  });

  test('passes nobody over for ever', async () => {
    const memory = new PartMemory(10);
    let shared = await memory.acquire(10, 1, never);
    let grants = 0;
    let grantsBefore: number | undefined;
    const small = memory.acquire(10, 1, never).then((granted) => {
      grantsBefore = grants;
      memory.release(granted);
    });
    for (let round = 0; round < 40; round += 1) {
      const large = memory.acquire(10, 1000, never);
      memory.release(shared);
      shared = await large;
      grants += 1;
    }
    await small;
    expect(grantsBefore).toBe(16);
    memory.release(shared);
  });
});

describe('part memory beyond its first share', () => {
  test('grows when somebody has waited for a while and nothing was prepared', async () => {
    const memory = new PartMemory(100, 20);
    const taken = await memory.acquire(20, 1, never);
    let granted: SharedArrayBuffer | undefined;
    const waiting = memory.acquire(30, 1, never).then((shared) => {
      granted = shared;
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(granted).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(granted?.byteLength).toBe(30);
    expect(memory.allocatedBytes).toBe(50);
    await waiting;
    memory.release(taken);
  });

  test('does not grow while parts are prepared most of the time', async () => {
    const memory = new PartMemory(100, 20);
    const taken = await memory.acquire(20, 1, never);
    const abort = new AbortController();
    const waiting = memory.acquire(20, 1, abort.signal).catch(() => 'gave up');
    for (let round = 0; round < 50; round += 1) {
      const endPreparation = memory.beginPreparation();
      await vi.advanceTimersByTimeAsync(31);
      endPreparation();
      await vi.advanceTimersByTimeAsync(29);
    }
    expect(memory.allocatedBytes).toBe(20);
    abort.abort(new Error('enough'));
    expect(await waiting).toBe('gave up');
    memory.release(taken);
  });

  test('grows where many short waits add up to more than the preparations between them', async () => {
    const memory = new PartMemory(100, 20);
    const taken = await memory.acquire(20, 1, never);
    const waiting = memory.acquire(20, 1, never);
    for (let round = 0; round < 6; round += 1) {
      const endPreparation = memory.beginPreparation();
      await vi.advanceTimersByTimeAsync(20);
      endPreparation();
      await vi.advanceTimersByTimeAsync(30);
    }
    expect(memory.allocatedBytes).toBe(40);
    memory.release(await waiting);
    memory.release(taken);
  });

  test('does not grow while parts take much longer on the wire than they did: the line is full', async () => {
    const memory = new PartMemory(100, 20);
    const taken = await memory.acquire(20, 1, never);
    const waiting = memory.acquire(20, 1, never);
    memory.noteWire(1);
    for (let part = 0; part < 4; part += 1) memory.noteWire(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect(memory.allocatedBytes).toBe(20);
    for (let part = 0; part < 4; part += 1) memory.noteWire(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(memory.allocatedBytes).toBe(40);
    memory.release(await waiting);
    memory.release(taken);
  });

  test('grows up to its cap', async () => {
    const memory = new PartMemory(50, 20);
    const taken = await memory.acquire(20, 1, never);
    const waiting = memory.acquire(30, 1, never);
    await vi.advanceTimersByTimeAsync(60);
    expect(memory.allocatedBytes).toBe(50);
    memory.release(await waiting);
    memory.release(taken);
  });

  test('never grows past its cap, and leaves no timer when it cannot grow', async () => {
    const memory = new PartMemory(50, 20);
    const taken = await memory.acquire(20, 1, never);
    const waiting = memory.acquire(31, 1, never);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    memory.release(taken);
    expect((await waiting).byteLength).toBe(31);
    expect(memory.allocatedBytes).toBeLessThanOrEqual(50);
  });

  test('leaves no timer when whoever waited gives up', async () => {
    const memory = new PartMemory(100, 20);
    await memory.acquire(20, 1, never);
    const abort = new AbortController();
    const waiting = memory.acquire(20, 1, abort.signal).catch(() => 'gave up');
    expect(vi.getTimerCount()).toBe(1);
    abort.abort(new Error('enough'));
    expect(await waiting).toBe('gave up');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('lets it go at once when nothing is used, and after a second where it is not needed', async () => {
    const memory = new PartMemory(100, 20);
    const held = [await memory.acquire(20, 1, never)];
    for (let part = 0; part < 3; part += 1) {
      const waiting = memory.acquire(20, 1, never);
      await vi.advanceTimersByTimeAsync(60);
      held.push(await waiting);
    }
    const cycle = async (): Promise<void> => {
      const [shared] = held.splice(0, 1);
      if (shared !== undefined) memory.release(shared);
      held.push(await memory.acquire(20, 1, never));
    };
    expect(memory.allocatedBytes).toBe(80);
    // A moment between two parts is not idleness.
    for (let round = 0; round < 30; round += 1) {
      await cycle();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(memory.allocatedBytes).toBe(80);
    for (const shared of held.splice(0, 2)) memory.release(shared);
    for (let round = 0; round < 30; round += 1) {
      await cycle();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(memory.allocatedBytes).toBe(40);
    for (const shared of held) memory.release(shared);
    expect(memory.allocatedBytes).toBe(20);
  });
});

describe("a part's memory", () => {
  test('tells how many bytes the socket took, and in what time', () => {
    const shared = new SharedArrayBuffer(partMemoryBytes(10));
    writeWiredBytes(shared, 0);
    vi.advanceTimersByTime(30);
    writeWiredBytes(shared, 7);
    expect([readWiredBytes(shared), readWiredMs(shared)]).toEqual([7, 30]);
    vi.advanceTimersByTime(30);
    writeWiredBytes(shared, 0);
    expect([readWiredBytes(shared), readWiredMs(shared)]).toEqual([0, 0]);
  });

  test('lets staged bytes be encoded in place: the output never reaches unread input', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(), (plannedBytes, shorter) => {
        const shared = new SharedArrayBuffer(partMemoryBytes(plannedBytes));
        const lengthBytes = Math.max(1, plannedBytes - (shorter % plannedBytes));
        const area = stagingArea(shared, plannedBytes);
        // The longest prefix is far below 512 bytes, and the header has 16.
        for (let done = 3; done <= lengthBytes; done += Math.max(3, Math.floor(lengthBytes / 50))) {
          expect(16 + 512 + (done / 3) * 4).toBeLessThanOrEqual(area.byteOffset + done + 512);
        }
      }),
    );
  });
});
