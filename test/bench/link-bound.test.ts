import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeLink,
  imageBound,
  nameLink,
  orderedBound,
  orderedBoundOf,
  partsNeeded,
  quotaBound,
  sequentialBound,
  streamBound,
} from '../../bench/report/link-bound.ts';

const MIB = 2 ** 20;
const LINK = { roundTripMs: 20, bytesPerSecondPerConnection: 40e6, partServiceTimeMs: 150 };

test('the bounds of the link are those of the published measurement', () => {
  const part = 20 * 2 ** 20;
  expect(orderedBound(LINK, part) / 1e6).toBeCloseTo(123.4, 1);
  expect(sequentialBound(LINK, part) / 1e6).toBeCloseTo(24.1, 1);
});

test('a layer also needs a connection, its first part on the way, Initiate and Complete', () => {
  const part = 20e6;
  const secondsOf = (parts: number) =>
    (parts * part) / orderedBoundOf(LINK, part, parts * part) - parts * 0.17;
  // Three round trips, and 26.7 MB at 40 MB/s, whatever the layer's length.
  expect(secondsOf(1)).toBeCloseTo(0.06 + 0.667, 3);
  expect(secondsOf(50)).toBeCloseTo(0.06 + 0.667, 3);
  // A last part is served as long as a whole one.
  expect((1.1 * part) / orderedBoundOf(LINK, part, 1.1 * part)).toBeCloseTo(0.34 + 0.06 + 0.667, 3);
});

test('no layer is faster than the whole line, base64 included', () => {
  const narrow = { ...LINK, bytesPerSecondTotal: 80e6 };
  expect(orderedBound(narrow, 20e6)).toBeCloseTo(60e6);
  expect(orderedBoundOf(narrow, 20e6, 600e6)).toBeCloseTo(60e6);
  expect(orderedBound({ ...LINK, bytesPerSecondTotal: 800e6 }, 20e6)).toBe(
    orderedBound(LINK, 20e6),
  );
});

test('as many parts are needed as keep the server busy while one of them is served', () => {
  expect([5, 10, 20].map((mib) => partsNeeded(LINK, mib * MIB))).toEqual([3, 4, 6]);
  expect(partsNeeded({ ...LINK, bytesPerSecondPerConnection: 1e12 }, 20 * MIB)).toBe(2);
  fc.assert(
    fc.property(
      fc.record({
        roundTripMs: fc.integer({ min: 1, max: 300 }),
        partServiceTimeMs: fc.integer({ min: 1, max: 2000 }),
        bytesPerSecondPerConnection: fc.integer({ min: 1e6, max: 1e9 }),
      }),
      fc.integer({ min: 5 * MIB, max: 20 * MIB }),
      (link, partSizeBytes) => {
        const count = partsNeeded(link, partSizeBytes);
        // Each part in flight is a client that sends one after another.
        const one = sequentialBound(link, partSizeBytes);
        const bound = orderedBound(link, partSizeBytes);
        expect(count * one).toBeGreaterThanOrEqual(bound * (1 - 1e-9));
        expect((count - 1) * one).toBeLessThan(bound * (1 + 1e-9));
      },
    ),
  );
});

test('half of the jitter is in every round trip', () => {
  expect(orderedBound({ ...LINK, jitterMs: 20 }, 18e6)).toBeCloseTo(100e6);
});

describe('the bound of an image', () => {
  const part = 10 * MIB;
  const link = { ...LINK, bytesPerSecondTotal: 200e6 };

  test('is the longest layer where the line is wide', () => {
    const layers = [{ sizeBytes: 100 * MIB }, { sizeBytes: MIB }];
    const bound = imageBound(link, part, layers);
    // Ten parts of 170 ms behind the arrival of the first one.
    expect(bound.longestLayerSeconds).toBeCloseTo(1.7 + (part * 4) / 3 / 40e6);
    expect(bound.seconds).toBe(bound.longestLayerSeconds);
  });

  test('is the line where layers are many, and a third less for those who need no base64', () => {
    const layers = Array.from({ length: 50 }, () => ({ sizeBytes: 30e6 }));
    expect(imageBound(link, part, layers).seconds).toBeCloseTo(10);
    expect(imageBound(link, part, layers, 1).seconds).toBeCloseTo(7.5);
    expect(imageBound(LINK, part, layers).capacitySeconds).toBe(0);
  });

  test('is the quota where layers are small', () => {
    const layers = Array.from({ length: 2000 }, () => ({ sizeBytes: 1000 }));
    expect(quotaBound(layers, part)).toBeCloseTo(19);
    expect(imageBound(LINK, part, layers).seconds).toBeCloseTo(19);
    expect(quotaBound(layers.slice(0, 100), part)).toBe(0);
  });

  test('of nothing is nothing', () => {
    expect(imageBound(link, part, []).seconds).toBe(0);
  });
});

test('a stream pays for its bytes as they are, and one round trip', () => {
  const { wireSeconds, servedSeconds } = streamBound(LINK, 10 * MIB, 100e6);
  expect(wireSeconds).toBeCloseTo(2.52);
  expect(servedSeconds).toBeCloseTo(2.52 + 10 * 0.15);
});

test('a link is described with what it has', () => {
  expect(describeLink(LINK)).toBe('20 ms round trip, 150 ms service a part, 40 MB/s a connection');
  expect(describeLink({ ...LINK, jitterMs: 5, bytesPerSecondTotal: 200e6 })).toBe(
    '20 ms round trip and up to 5 ms more, 150 ms service a part, 40 MB/s a connection, 200 MB/s in all',
  );
  expect(nameLink(LINK)).toBe('20 ms away, 150 ms service, 40 MB/s');
  expect(nameLink({ ...LINK, jitterMs: 5 })).toBe('20-25 ms away, 150 ms service, 40 MB/s');
});
