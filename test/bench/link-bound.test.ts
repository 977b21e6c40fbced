import { describe, expect, test } from 'vitest';
import {
  describeLink,
  imageBound,
  orderedBound,
  orderedBoundOf,
  quotaBound,
  sequentialBound,
} from '../../bench/report/link-bound.ts';

const MIB = 2 ** 20;
const LINK = { roundTripMs: 20, bytesPerSecondPerConnection: 40e6, partServiceTimeMs: 150 };

test('the bounds of the link are those of the published measurement', () => {
  const part = 20 * 2 ** 20;
  expect(orderedBound(LINK, part) / 1e6).toBeCloseTo(123.4, 1);
  expect(sequentialBound(LINK, part) / 1e6).toBeCloseTo(24.1, 1);
  // A layer of one part cannot do better than one part at a time; a long one comes near the bound.
  expect(orderedBoundOf(LINK, part, part)).toBeCloseTo(sequentialBound(LINK, part));
  expect(orderedBoundOf(LINK, part, 50 * part) / orderedBound(LINK, part)).toBeCloseTo(0.92, 2);
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

test('a link is described with what it has', () => {
  expect(describeLink(LINK)).toBe('20 ms round trip, 150 ms service a part, 40 MB/s a connection');
  expect(describeLink({ ...LINK, jitterMs: 5, bytesPerSecondTotal: 200e6 })).toBe(
    '20 ms round trip and up to 5 ms more, 150 ms service a part, 40 MB/s a connection, 200 MB/s in all',
  );
});
