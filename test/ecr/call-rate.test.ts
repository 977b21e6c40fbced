import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallRate } from '../../src/ecr/call-rate.ts';

const setting = fc.double({ min: 0.1, max: 100_000, noNaN: true });
/** Throttled replies: how long after the one before, and how long the call was under way. */
const refusals = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 30_000 })),
  { maxLength: 40 },
);

test('stays between a sixty-fourth of the setting and the setting, whatever is throttled', () => {
  fc.assert(
    fc.property(setting, refusals, (perSecondMax, steps) => {
      const rate = new CallRate(perSecondMax);
      let nowMs = 0;
      expect(rate.perSecond(nowMs)).toBe(perSecondMax);
      for (const [gapMs, underWayMs] of steps) {
        nowMs += gapMs;
        rate.throttled(nowMs - underWayMs, nowMs);
        expect(rate.perSecond(nowMs)).toBeLessThanOrEqual(perSecondMax);
        expect(rate.perSecond(nowMs)).toBeGreaterThanOrEqual(perSecondMax / 64);
      }
    }),
  );
});

test('is halved by a call that left after the last cut, and by no other', () => {
  fc.assert(
    fc.property(setting, refusals, (perSecondMax, steps) => {
      const rate = new CallRate(perSecondMax);
      let nowMs = 0;
      let cutAtMs = Number.NEGATIVE_INFINITY;
      for (const [gapMs, underWayMs] of steps) {
        nowMs += gapMs;
        const before = rate.perSecond(nowMs);
        const isNews = nowMs - underWayMs > cutAtMs;
        expect(rate.throttled(nowMs - underWayMs, nowMs)).toBe(isNews);
        const expected = isNews ? Math.max(perSecondMax / 64, before / 2) : before;
        expect(rate.perSecond(nowMs)).toBeCloseTo(expected, 6);
        if (isNews) cutAtMs = nowMs;
      }
    }),
  );
});

test('grows by equal steps, from one half to the whole in ten seconds', () => {
  const rate = new CallRate(100);
  expect(rate.throttled(0, 1000)).toBe(true);
  const after = [0, 1, 2, 5, 9, 10, 11].map((seconds) => rate.perSecond(1000 + seconds * 1000));
  expect(after).toEqual([50, 55, 60, 75, 95, 100, 100]);
});
