import { expect, test } from 'vitest';
import { RateMeter, secondsLeft } from '../../../src/cli/progress/rate-meter.ts';

test('there is no rate before there is a span to measure', () => {
  const meter = new RateMeter();
  expect(meter.measure(0, 0)).toBeUndefined();
  expect(meter.measure(100, 1000)).toBeUndefined();
  expect(meter.measure(500, 5000)).toBe(10_000);
});

test('it forgets what is older than the window', () => {
  const meter = new RateMeter();
  for (let atMs = 0; atMs <= 10_000; atMs += 100) meter.measure(atMs, atMs * 1000);
  let rate: number | undefined;
  for (let atMs = 10_100; atMs <= 20_000; atMs += 100) rate = meter.measure(atMs, 10_000_000);
  expect(rate).toBe(0);
});

test('a layer that starts again is measured anew', () => {
  const meter = new RateMeter();
  meter.measure(0, 0);
  meter.measure(1000, 50_000);
  expect(meter.measure(1100, 0)).toBeUndefined();
  expect(meter.measure(2100, 1000)).toBe(1000);
});

test('the time left is unknown while nothing moves or the size is unknown', () => {
  expect(secondsLeft(1000, 0)).toBeUndefined();
  expect(secondsLeft(1000, undefined)).toBeUndefined();
  expect(secondsLeft(undefined, 5)).toBeUndefined();
  expect(secondsLeft(1000, 100)).toBe(10);
});
