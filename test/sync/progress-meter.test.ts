import { describe, expect, test } from 'vitest';
import { ProgressMeter } from '../../src/sync/progress-meter.ts';

const readings = (uploadedBytes = 0) => ({
  tagCount: 7,
  uploadedBytes,
  mountedBytes: 3,
  throttledCallCount: 2,
});

describe('where a sync stands', () => {
  test('is counted by images that wait, run, are done, or failed', () => {
    const meter = new ProgressMeter(0);
    meter.found(10);
    meter.began(4);
    meter.ended(false);
    meter.ended(true);
    expect(meter.progress(1000, readings())).toMatchObject({
      imagesInFlight: 2,
      imagesDone: 1,
      imagesFailed: 1,
      imagesWaiting: 6,
      discovered: false,
      ...readings(),
    });
    meter.stopped(2);
    meter.discovered();
    expect(meter.progress(2000, readings())).toMatchObject({
      imagesInFlight: 0,
      imagesDone: 1,
      imagesFailed: 1,
      imagesWaiting: 8,
      discovered: true,
    });
  });

  test('the speed is that of the last ten seconds', () => {
    const meter = new ProgressMeter(0);
    expect(meter.progress(0, readings(0)).bytesPerSecond).toBe(0);
    expect(meter.progress(1000, readings(5000)).bytesPerSecond).toBe(5000);
    expect(meter.progress(2000, readings(5000)).bytesPerSecond).toBe(2500);
    expect(meter.progress(11_000, readings(6000)).bytesPerSecond).toBe(100);
    expect(meter.progress(22_000, readings(6000)).bytesPerSecond).toBe(0);
  });

  test('what is left is guessed once all is known and five images have ended', () => {
    const meter = new ProgressMeter(1000);
    meter.found(10);
    meter.began(10);
    for (let image = 0; image < 5; image += 1) meter.ended(image === 0);
    expect(meter.progress(6000, readings()).remainingMs).toBeUndefined();
    meter.discovered();
    expect(meter.progress(6000, readings()).remainingMs).toBe(5000);
    const young = new ProgressMeter(0);
    young.found(10);
    young.discovered();
    young.began(4);
    for (let image = 0; image < 4; image += 1) young.ended(false);
    expect(young.progress(1000, readings()).remainingMs).toBeUndefined();
  });

  test('nothing is left in the end', () => {
    const meter = new ProgressMeter(0);
    meter.found(5);
    meter.began(5);
    for (let image = 0; image < 5; image += 1) meter.ended(false);
    meter.discovered();
    const { remainingMs, imagesWaiting } = meter.progress(100, readings());
    expect({ remainingMs, imagesWaiting }).toEqual({ remainingMs: 0, imagesWaiting: 0 });
  });
});
