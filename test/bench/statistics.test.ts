import { describe, expect, test } from 'vitest';
import { median, spreadOf } from '../../bench/statistics.ts';

describe('statistics', () => {
  test.each([
    { values: [3], expected: 3 },
    { values: [9, 1, 5], expected: 5 },
    { values: [4, 1, 3, 2], expected: 2.5 },
  ])('the median of $values is $expected', ({ values, expected }) => {
    expect(median(values)).toBe(expected);
  });

  test('no values have no median', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  test('one outlier moves neither the median nor the deviation', () => {
    const calm = spreadOf([100, 101, 99, 100, 102]);
    const disturbed = spreadOf([100, 101, 99, 100, 900]);
    expect(disturbed.median).toBe(calm.median);
    expect(disturbed.deviationShare).toBe(calm.deviationShare);
    expect(disturbed.max).toBe(900);
  });

  test('a single run has no deviation', () => {
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, deviationShare: 0 });
  });
});
