import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/ecr/token-bucket.ts';

const rate = fc.double({ min: 0.1, max: 1000, noNaN: true });
const gapMs = fc.double({ min: 0, max: 2000, noNaN: true });

test('over any stretch of time gives no more than its burst and what came in meanwhile', () => {
  fc.assert(
    fc.property(rate, rate, fc.array(gapMs, { maxLength: 200 }), (perSecond, size, gaps) => {
      const burst = Math.max(1, size);
      const bucket = new TokenBucket(perSecond, burst, 0);
      const takenAtMs: number[] = [];
      let nowMs = 0;
      for (const gap of gaps) {
        nowMs += gap;
        while (bucket.take(nowMs)) takenAtMs.push(nowMs);
      }
      for (const [index, atMs] of takenAtMs.entries()) {
        const count = takenAtMs.length - index;
        const lastAtMs = takenAtMs.at(-1) ?? 0;
        expect(count).toBeLessThanOrEqual(burst + ((lastAtMs - atMs) * perSecond) / 1000 + 1e-6);
      }
    }),
    { numRuns: 50 },
  );
});

test('has a token when it said that it would, and none a millisecond and a bit before', () => {
  fc.assert(
    fc.property(rate, fc.integer({ min: 0, max: 50 }), (perSecond, startMs) => {
      const bucket = new TokenBucket(perSecond, 1, startMs);
      expect(bucket.waitMs(startMs)).toBe(0);
      expect(bucket.take(startMs)).toBe(true);
      const waitMs = bucket.waitMs(startMs);
      expect(bucket.take(startMs + Math.max(0, waitMs - 1.01))).toBe(false);
      // A hair later, for what rounding loses.
      expect(bucket.take(startMs + waitMs + 1e-3)).toBe(true);
    }),
  );
});

test('gives at the new rate from the moment of a change on, and never more than came in', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(gapMs, rate), { minLength: 1, maxLength: 50 }), (steps) => {
      const bucket = new TokenBucket(1, 1, 0);
      let nowMs = 0;
      let perSecond = 1;
      let incoming = 1;
      let taken = 0;
      for (const [gap, next] of steps) {
        nowMs += gap;
        incoming += (gap * perSecond) / 1000;
        while (bucket.take(nowMs)) taken += 1;
        expect(taken).toBeLessThanOrEqual(incoming + 1e-6);
        perSecond = next;
        bucket.change(next, Math.max(1, next), nowMs);
      }
    }),
  );
});

test('a clock that stands still or goes back fills nothing', () => {
  const bucket = new TokenBucket(1000, 1, 100);
  expect(bucket.take(100)).toBe(true);
  expect(bucket.take(100)).toBe(false);
  expect(bucket.take(50)).toBe(false);
  expect(bucket.take(100)).toBe(false);
  expect(bucket.take(101)).toBe(true);
});

test('a drained bucket fills from nothing', () => {
  const bucket = new TokenBucket(10, 10, 0);
  bucket.drain(0);
  expect(bucket.take(99)).toBe(false);
  expect(bucket.take(100)).toBe(true);
});
