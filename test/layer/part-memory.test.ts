import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartMemory, partMemoryBytes, stagingArea } from '../../src/layer/part-memory.ts';

const never = new AbortController().signal;

describe('part memory', () => {
  test('never exceeds its cap, and serves everybody in the end, whatever is asked and given back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.boolean()), { maxLength: 60 }),
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        async (wishes, picks) => {
          const memory = new PartMemory(100);
          const held: SharedArrayBuffer[] = [];
          let served = 0;
          const wanting = wishes.map(async ([sizeBytes, gaveUp]) => {
            const abort = new AbortController();
            const grant = memory.acquire(sizeBytes, abort.signal);
            if (gaveUp) abort.abort(new Error('gave up'));
            const shared = await grant.catch(() => undefined);
            served += 1;
            if (shared === undefined) return;
            expect(shared.byteLength).toBe(sizeBytes);
            held.push(shared);
          });
          for (let turn = 0; served < wishes.length; turn += 1) {
            expect(memory.allocatedBytes).toBeLessThanOrEqual(100);
            await Promise.resolve();
            const [given] = held.splice((picks[turn % 60] ?? 0) % Math.max(held.length, 1), 1);
            if (given !== undefined) memory.release(given);
            if (turn > 5_000) throw new Error('somebody waits for ever');
          }
          await Promise.all(wanting);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('uses memory of the same size again', async () => {
    const memory = new PartMemory(100);
    const first = await memory.acquire(40, never);
    memory.release(first);
    expect(await memory.acquire(40, never)).toBe(first);
    expect(memory.allocatedBytes).toBe(40);
  });

  test('drops what is kept to make room for another size', async () => {
    const memory = new PartMemory(100);
    memory.release(await memory.acquire(60, never));
    await memory.acquire(50, never);
    expect(memory.allocatedBytes).toBe(50);
  });

  test('serves in the order of asking, so that a large wish is not starved', async () => {
    const memory = new PartMemory(100);
    const first = await memory.acquire(60, never);
    const order: string[] = [];
    const large = memory.acquire(100, never).then((shared) => {
      order.push('large');
      memory.release(shared);
    });
    const small = memory.acquire(10, never).then(() => order.push('small'));
    memory.release(first);
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
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
