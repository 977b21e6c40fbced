import { expect, test } from 'vitest';
import { MIB } from '../../src/limits.ts';
import { planRound } from './soak-plan.ts';
import { problemsOf, type SoakSample } from './soak-verdict.ts';
import { riseOf } from './trend.ts';

function samplesOf(change: (index: number) => Partial<SoakSample>): SoakSample[] {
  return Array.from({ length: 40 }, (_, roundIndex) => ({
    atMs: roundIndex * 1000,
    roundIndex,
    rssBytes: (200 + (roundIndex % 3)) * MIB,
    heapBytes: 14 * MIB,
    handleCount: 2,
    descriptorCount: 28,
    threadCount: 12,
    acceptedBytes: 60 * MIB,
    durationMs: 1000,
    ...change(roundIndex),
  }));
}

test('the rise of a line is from its first point to its last, whatever scatters around it', () => {
  expect(riseOf([])).toBe(0);
  expect(riseOf([{ atMs: 3, value: 3 }])).toBe(0);
  const points = Array.from({ length: 101 }, (_, index) => ({
    atMs: index,
    value: index * 2 + (index % 2 === 0 ? 5 : -5),
  }));
  expect(riseOf(points)).toBeCloseTo(200, -1);
});

test('what stays where it is is flat, also after a start that grows', () => {
  expect(problemsOf(samplesOf(() => ({})))).toEqual([]);
  const settling = samplesOf((index) => ({ rssBytes: Math.min(index, 10) * 20 * MIB }));
  expect(problemsOf(settling)).toEqual([]);
});

test.each([
  ['memory that leaks', (index: number) => ({ rssBytes: index * 3 * MIB }), /rssBytes rises/],
  ['a heap that leaks', (index: number) => ({ heapBytes: index * MIB }), /heapBytes rises/],
  ['handles that stay', (index: number) => ({ handleCount: index }), /handleCount is not flat/],
  ['threads that stay', (index: number) => ({ threadCount: index }), /threadCount is not flat/],
  ['files that stay open', (index: number) => ({ descriptorCount: index }), /descriptorCount/],
  ['work that slows down', (index: number) => ({ durationMs: index ** 2 }), /throughput falls/],
])('%s are found', (_name, change, expected) => {
  expect(problemsOf(samplesOf(change)).join()).toMatch(expected);
});

test('a run that is too short proves nothing', () => {
  expect(problemsOf(samplesOf(() => ({})).slice(0, 3))).toHaveLength(1);
});

test('a seed gives the same plan again, and another one another', () => {
  expect(planRound(7, 3)).toEqual(planRound(7, 3));
  expect(planRound(8, 3)).not.toEqual(planRound(7, 3));
  expect(planRound(7, 4)).not.toEqual(planRound(7, 3));
});
