import { expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../../src/cli/progress/quantity-format.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [9_994_999, '9.99 MB'],
  [9_995_000, '9.99 MB'],
  [9_996_000, '10.0 MB'],
  [99_960_000, '100 MB'],
  [52_000 * 1024 ** 2, '54.5 GB'],
  [-5, '0 B'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a size never takes more than 7 columns, a rate never more than 9', () => {
  for (let bytes = 1; bytes < 1e15; bytes = Math.ceil(bytes * 1.37)) {
    expect(formatBytes(bytes).length).toBeLessThanOrEqual(7);
    expect(formatRate(bytes).length).toBeLessThanOrEqual(9);
  }
});

test.each([
  [undefined, '-'],
  [Infinity, '-'],
  [0, '0:00'],
  [6.2, '0:07'],
  [723, '12:03'],
  [10_859, '3:00:59'],
  [360_000, '>99 h'],
])('%s seconds left are %s', (seconds, text) => {
  expect(formatClock(seconds)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [420, '0.4 s'],
  [7100, '7.1 s'],
  [9960, '10 s'],
  [84_000, '84 s'],
  [723_000, '12:03'],
])('%d ms took %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test('a percentage is 100 only when nothing is left, and empty for an unknown size', () => {
  expect(formatPercent(999_999, 1_000_000)).toBe('99%');
  expect(formatPercent(1_000_000, 1_000_000)).toBe('100%');
  expect(formatPercent(0, 0)).toBe('100%');
  expect(formatPercent(5, undefined)).toBe('');
});

test('a rate that is not known yet is a dash', () => {
  expect(formatRate(undefined)).toBe('-');
});
