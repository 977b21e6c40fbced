import { expect, test } from 'vitest';
import { activityOf } from '../../bench/harness/wire-activity.ts';

test('gaps are the times in which nothing is under way', () => {
  const call = (startedAtMs: number, endedAtMs?: number, exception?: string) => ({
    operation: 'UploadLayerPart',
    startedAtMs,
    endedAtMs,
    exception,
  });
  const activity = activityOf([
    { operation: 'InitiateLayerUpload', startedAtMs: 90, endedAtMs: 100 },
    call(150, 300),
    call(120, 160, 'ThrottlingException'),
    call(310, 320),
    call(400),
  ]);
  expect(activity).toEqual({
    callCount: 5,
    throttledCount: 1,
    spanMs: 310,
    idleMs: 20 + 10 + 80,
    longestIdleMs: 80,
    firstPartAtMs: 150,
  });
});

test('nothing happened', () => {
  const nothing = { callCount: 0, throttledCount: 0, spanMs: 0, idleMs: 0, longestIdleMs: 0 };
  expect(activityOf([])).toEqual(nothing);
});
