import { describe, expect, test } from 'vitest';
import { WirePace } from '../../src/layer/wire-pace.ts';

function paceOf(...msPerByte: (number | undefined)[]): WirePace {
  const pace = new WirePace();
  for (const each of msPerByte) pace.measure(each);
  return pace;
}

function times(count: number, msPerByte: number): number[] {
  return Array.from({ length: count }, () => msPerByte);
}

describe('a line', () => {
  test('is not full as long as nothing, or one part, was measured', () => {
    expect(paceOf().isLineFull).toBe(false);
    expect(paceOf(7).isLineFull).toBe(false);
    expect(paceOf(undefined, 0, -1).isLineFull).toBe(false);
  });

  test('is full when parts take more than one and a half times the least time', () => {
    // The recent time is half of the new one and half of what it was.
    expect(paceOf(1, 1.9).isLineFull).toBe(false);
    expect(paceOf(1, 2.1).isLineFull).toBe(true);
    expect(paceOf(1, 1.4, 1.4, 1.4, 1.4).isLineFull).toBe(false);
    expect(paceOf(1, 1.7, 1.7, 1.7, 1.7).isLineFull).toBe(true);
  });

  test('is not full any more when parts are fast again', () => {
    expect(paceOf(1, 4, 4, 4).isLineFull).toBe(true);
    expect(paceOf(1, 4, 4, 4, 1, 1, 1).isLineFull).toBe(false);
  });

  test('is judged by what was measured alone', () => {
    const pace = paceOf(1, undefined, 0, -5);
    pace.measure(2.1);
    expect(pace.isLineFull).toBe(true);
    expect(paceOf(1, 0, 1.9).isLineFull).toBe(false);
  });

  test('is not made by one part that was quick by chance', () => {
    // Of a hundredth the least time takes half at most.
    expect(paceOf(1, 0.01, 0.98).isLineFull).toBe(false);
    expect(paceOf(1, 0.01, 1, 1).isLineFull).toBe(true);
    expect(paceOf(1, 0.6, 0.95, 0.95, 0.95).isLineFull).toBe(true);
    expect(paceOf(1, 0.7, 0.95, 0.95, 0.95).isLineFull).toBe(false);
  });

  test('that has become slower is believed after some two hundred parts, and not at once', () => {
    expect(paceOf(1, ...times(50, 2)).isLineFull).toBe(true);
    expect(paceOf(1, ...times(195, 2)).isLineFull).toBe(true);
    expect(paceOf(1, ...times(220, 2)).isLineFull).toBe(false);
  });
});
