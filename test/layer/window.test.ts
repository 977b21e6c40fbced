import { describe, expect, test } from 'vitest';
import { type CommitReading, WindowControl } from '../../src/layer/window.ts';
import { MIB } from '../../src/limits.ts';
import { type ModelLink, type ModelRun, sendOverModel } from './link-model.ts';

const WINDOW_MAX = 16;
const PART_COUNT = 240;
const CONVERGED_AT = 120;

interface GridPoint {
  readonly link: ModelLink;
  readonly bodyBytes: number;
  /** From one acknowledgement to the next where the registry is never idle. */
  readonly slotMs: number;
  /** The least window that keeps the registry busy, with the lane's margin for what sockets hide. */
  readonly neededWindow: number;
}

/** Every line and part size of the grid whose needs are within the largest window. */
function grid(jitterShare: number, socketBytes: number): GridPoint[] {
  const points: GridPoint[] = [];
  for (const roundTripMs of [5, 20, 100, 200]) {
    for (const serviceMs of [30, 150, 400, 1000]) {
      for (const bytesPerMsPerConnection of [5_000, 20_000, 40_000, 200_000]) {
        for (const partMib of [5, 10, 20]) {
          const bodyBytes = Math.ceil((partMib * MIB * 4) / 3);
          const preparationMs = partMib * 2.5;
          const slotMs = (roundTripMs + serviceMs) * (1 + jitterShare / 2);
          const onWayMs = (bodyBytes / bytesPerMsPerConnection) * 1.25 + preparationMs;
          const neededWindow = Math.ceil((onWayMs + roundTripMs / 2) / slotMs) + 1;
          if (neededWindow > WINDOW_MAX || preparationMs > slotMs) continue;
          const link = {
            roundTripMs,
            jitterShare,
            serviceMs,
            bytesPerMsPerConnection,
            bytesPerMsTotal: Number.POSITIVE_INFINITY,
            preparationMs,
            socketBytes,
          };
          points.push({ link, bodyBytes, slotMs, neededWindow });
        }
      }
    }
  }
  return points;
}

/** Share of the bound from one commit to another. */
function shareOfBound({ acknowledgedAtMs }: ModelRun, slotMs: number, from: number): number {
  const last = acknowledgedAtMs.length - 1;
  const elapsedMs = (acknowledgedAtMs[last] ?? 0) - (acknowledgedAtMs[from] ?? 0);
  return (slotMs * (last - from)) / elapsedMs;
}

describe('the window over modelled links', () => {
  test.each([
    { name: 'without jitter', jitterShare: 0, socketBytes: 0, leastShare: 0.99 },
    { name: 'with deep sockets', jitterShare: 0, socketBytes: MIB, leastShare: 0.99 },
    { name: 'with jitter', jitterShare: 0.3, socketBytes: 0, leastShare: 0.97 },
    { name: 'with strong jitter', jitterShare: 1, socketBytes: 0, leastShare: 0.93 },
  ])('keeps the registry busy, $name', ({ jitterShare, socketBytes, leastShare }) => {
    const points = grid(jitterShare, socketBytes);
    expect(points.length).toBeGreaterThan(100);
    const misfits = points.filter(({ link, bodyBytes, slotMs, neededWindow }, index) => {
      const run = sendOverModel(link, bodyBytes, PART_COUNT, WINDOW_MAX, index + 1);
      const widest = Math.max(...run.windows.slice(CONVERGED_AT));
      return shareOfBound(run, slotMs, CONVERGED_AT) <= leastShare || widest > neededWindow + 2;
    });
    expect(misfits).toEqual([]);
  });

  test('changes seldom once it fits', () => {
    const restless = grid(1, 0).filter(({ link, bodyBytes }, index) => {
      const { windows } = sendOverModel(link, bodyBytes, PART_COUNT, WINDOW_MAX, index + 1);
      const late = windows.slice(CONVERGED_AT);
      const changes = late.filter((size, at) => at > 0 && size !== late[at - 1]);
      return changes.length > late.length / 8;
    });
    expect(restless).toEqual([]);
  });

  test('does not run away on a line that is full', () => {
    for (const bytesPerMsTotal of [10_000, 20_000, 40_000]) {
      const link: ModelLink = {
        roundTripMs: 20,
        jitterShare: 0,
        serviceMs: 30,
        bytesPerMsPerConnection: 200_000,
        bytesPerMsTotal,
        preparationMs: 10,
        socketBytes: 0,
      };
      const bodyBytes = Math.ceil((10 * MIB * 4) / 3);
      const run = sendOverModel(link, bodyBytes, PART_COUNT, WINDOW_MAX);
      expect(Math.max(...run.windows)).toBeLessThanOrEqual(12);
      // The line is busy all the time, which is all that there is.
      expect(shareOfBound(run, bodyBytes / bytesPerMsTotal, CONVERGED_AT)).toBeGreaterThan(0.95);
    }
  });
});

const MISSED: CommitReading = { arrivedCount: 0, wireMsPerByte: 1 };
const FITTING: CommitReading = { arrivedCount: 1, wireMsPerByte: 1 };
const SPARE: CommitReading = { arrivedCount: 3, wireMsPerByte: 1 };

/** The sizes that a window changes to. */
function sizesOf(
  window: WindowControl,
  readings: readonly CommitReading[],
  isFull = true,
): number[] {
  return readings.flatMap((reading) => (window.committed(reading, isFull) ? [window.size] : []));
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

describe('window control', () => {
  test('begins with six parts, or with as many as there may be', () => {
    expect(new WindowControl(16).size).toBe(6);
    expect(new WindowControl(1).size).toBe(1);
  });

  test('never leaves the classic window of one part', () => {
    const window = new WindowControl(1);
    expect(sizesOf(window, [...times(100, MISSED), ...times(100, SPARE)])).toEqual([]);
  });

  test('grows by thirds until the next part is there in time, up to its bound', () => {
    const window = new WindowControl(12);
    window.committed(FITTING, true);
    const readings = times(60, MISSED);
    expect(sizesOf(window, readings)).toEqual([8, 10, 12]);
  });

  test('waits for a change to show before the next one', () => {
    const window = new WindowControl(16);
    window.committed(FITTING, true);
    expect(sizesOf(window, times(5, MISSED))).toEqual([8]);
    expect(sizesOf(window, times(8, MISSED))).toEqual([]);
    expect(sizesOf(window, times(1, MISSED))).toEqual([10]);
  });

  test('does not grow where fewer parts than the window are on the wire', () => {
    expect(sizesOf(new WindowControl(16), times(100, MISSED), false)).toEqual([]);
  });

  test('does not grow while parts take much longer on the wire than they did', () => {
    const window = new WindowControl(16);
    for (let commit = 0; commit < 4; commit += 1) window.committed(FITTING, true);
    const slow = { ...MISSED, wireMsPerByte: 4 };
    expect(sizesOf(window, times(12, slow))).toEqual([]);
  });

  test('believes in the end that the line has become slower', () => {
    const window = new WindowControl(16);
    for (let commit = 0; commit < 4; commit += 1) window.committed(FITTING, true);
    expect(sizesOf(window, times(600, { ...MISSED, wireMsPerByte: 4 })).length).toBeGreaterThan(0);
  });

  test('takes one late part for an accident once the window has fitted', () => {
    const window = new WindowControl(16);
    sizesOf(window, times(20, FITTING));
    expect(sizesOf(window, [MISSED, ...times(20, FITTING), MISSED])).toEqual([]);
    expect(sizesOf(window, [...times(20, FITTING), MISSED, FITTING, MISSED])).toEqual([7]);
  });

  test('shrinks by one when parts wait for a while, and keeps a spare', () => {
    const window = new WindowControl(16);
    expect(sizesOf(window, times(9, SPARE))).toEqual([5]);
    expect(sizesOf(window, times(100, SPARE))).toEqual([4, 3]);
  });

  test('halves when it broke, comes back by one in eight commits, and then grows no faster', () => {
    const window = new WindowControl(16);
    expect(window.broken()).toBe(true);
    expect(window.size).toBe(3);
    expect(sizesOf(window, times(7, MISSED))).toEqual([]);
    expect(sizesOf(window, times(1, MISSED))).toEqual([4]);
    expect(sizesOf(window, times(16, MISSED))).toEqual([5, 6]);
    expect(sizesOf(window, times(7, MISSED))).toEqual([]);
    expect(sizesOf(window, times(24, MISSED)).length).toBeLessThanOrEqual(3);
  });

  test('searches by thirds only until a window’s worth of parts came in time', () => {
    const growth = (fittingCount: number): number[] => {
      const window = new WindowControl(16);
      return sizesOf(window, [...times(fittingCount, FITTING), MISSED]);
    };
    expect([6, 11, 12].map((fittingCount) => growth(fittingCount))).toEqual([[8], [8], []]);
  });

  test('counts a part that is late again within two windows, and not later', () => {
    const growth = (fittingCount: number): number[] => {
      const window = new WindowControl(16);
      sizesOf(window, times(20, FITTING));
      return sizesOf(window, [MISSED, ...times(fittingCount, FITTING), MISSED]);
    };
    expect([11, 12].map((fittingCount) => growth(fittingCount))).toEqual([[7], []]);
  });

  test('shrinks with the eighth commit that has parts to spare', () => {
    const window = new WindowControl(16);
    expect(sizesOf(window, times(7, SPARE))).toEqual([]);
    expect(sizesOf(window, [SPARE])).toEqual([5]);
  });

  test('comes back to where it broke, and stays there while parts come in time', () => {
    const window = new WindowControl(16);
    window.broken();
    expect(sizesOf(window, times(200, FITTING))).toEqual([4, 5, 6]);
  });

  test('that broke grows by single parts, and eight commits after the last one', () => {
    const window = new WindowControl(16);
    sizesOf(window, times(60, SPARE));
    expect(window.size).toBe(3);
    window.broken();
    expect(sizesOf(window, times(16, MISSED))).toEqual([2, 3]);
    expect(sizesOf(window, times(7, MISSED))).toEqual([]);
    expect(sizesOf(window, [MISSED])).toEqual([4]);
  });

  test('that broke while it was searching grows by single parts too', () => {
    const window = new WindowControl(16);
    window.broken();
    sizesOf(window, times(24, MISSED));
    expect(window.size).toBe(6);
    expect(sizesOf(window, times(60, MISSED)).slice(0, 3)).toEqual([7, 8, 9]);
  });
});
