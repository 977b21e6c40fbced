import { describe, expect, test, vi } from 'vitest';
import { EventSink } from '../../src/layer/event-sink.ts';
import type { LayerEvent } from '../../src/layer/layer-events.ts';
import { LayerProgress } from '../../src/layer/layer-progress.ts';
import { StallReporter, type StallTimeouts } from '../../src/layer/stall-reporter.ts';
import type { Movement, WaitingFor } from '../../src/layer/stall-watch.ts';
import { withClock } from './layer-rig.ts';

const TIMEOUTS: StallTimeouts = {
  connectTimeoutMs: 2_000,
  stallTimeoutMs: 4_000,
  replyTimeoutMs: 8_000,
};

withClock();

/** Layers in which something does not move, and what is told of them: `layer key waited`. */
function reporter(timeouts: StallTimeouts, ...movements: Movement[][]) {
  const told: string[] = [];
  const actions = new Set<string>();
  const layers = movements.map((each, index) => {
    const name = { repository: 'team/app', source: 'a layer', layerId: index + 1 };
    const sink = new EventSink<LayerEvent>((event) => {
      if (event.type !== 'layer-stalled') return;
      told.push(`${event.layerId} ${event.waitingFor} ${event.waitedMs}`);
      actions.add(event.action);
    });
    const layer = new LayerProgress(name, { acceptedBytes: 0, resentBytes: 0 }, sink);
    layer.gauge = { onWire: { partsInFlight: 0, wiredBytes: 0 }, movements: each };
    return layer;
  });
  const set = new Set(layers);
  return { watch: new StallReporter(set, timeouts), told, actions, set };
}

function still(waitingFor: WaitingFor, key = 'part 0'): Movement {
  return { key, waitingFor, mark: 'same' };
}

/** When it is told of something that waits for that. */
function noticeMs(waitingFor: WaitingFor): number | undefined {
  const { watch, told } = reporter(TIMEOUTS, [still(waitingFor)]);
  watch.start();
  for (let atMs = 0; atMs <= 20_000; atMs += 50) {
    vi.advanceTimersByTime(50);
    if (told.length > 0) break;
  }
  watch.stop();
  const [first] = told;
  return first === undefined ? undefined : Number(first.split(' ')[2]);
}

describe('what stands still', () => {
  test('is told of after half of the time after which something is done about it', () => {
    expect(noticeMs('connection')).toBe(1_000);
    for (const waitingFor of [
      'rate',
      'credentials',
      'worker',
      'socket',
      'source',
      'preparation',
      'memory',
      'turn',
    ] as const) {
      expect([waitingFor, noticeMs(waitingFor)]).toEqual([waitingFor, 2_000]);
    }
    expect(noticeMs('reply')).toBe(4_000);
    expect(noticeMs('call')).toBe(4_000);
  });

  test('behind another is not told of: that one is', () => {
    expect(noticeMs('predecessor')).toBeUndefined();
  });

  test('is told of to its own layer, though another has a thing of the same name', () => {
    const { watch, told, actions, set } = reporter(
      TIMEOUTS,
      [still('socket')],
      [still('connection')],
      [still('socket')],
    );
    watch.start();
    vi.advanceTimersByTime(2_300);
    watch.stop();
    expect(told).toEqual([
      '2 connection 1000',
      '1 socket 2000',
      '2 connection 2000',
      '3 socket 2000',
    ]);
    expect([...actions]).toEqual(['none']);
    expect(set.size).toBe(3);
  });

  test('is looked at four times from one notice to the next, and within bounds', () => {
    for (const { timeoutMs, intervalMs } of [
      { timeoutMs: 800, intervalMs: 100 },
      { timeoutMs: 801, intervalMs: 101 },
      { timeoutMs: 8, intervalMs: 5 },
      { timeoutMs: 1_000_000, intervalMs: 5_000 },
    ]) {
      const timeouts = {
        connectTimeoutMs: timeoutMs,
        stallTimeoutMs: 2 * timeoutMs,
        replyTimeoutMs: 2 * timeoutMs,
      };
      const { watch } = reporter(timeouts, []);
      const every = vi.spyOn(globalThis, 'setInterval');
      watch.start();
      expect(every.mock.calls.map(([, ms]) => ms)).toEqual([intervalMs]);
      every.mockRestore();
      watch.stop();
    }
  });
});

describe('the watch over layers', () => {
  test('looks once, however often it is started, keeps no process alive, and leaves no timer', () => {
    const { watch, told } = reporter(TIMEOUTS, [still('connection')]);
    const every = vi.spyOn(globalThis, 'setInterval');
    watch.start();
    watch.start();
    expect(vi.getTimerCount()).toBe(1);
    const timer = every.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    every.mockRestore();
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
  });

  test('forgets what it has seen when it stops', () => {
    const { watch, told } = reporter(TIMEOUTS, [still('connection')]);
    watch.start();
    vi.advanceTimersByTime(1_000);
    watch.stop();
    watch.start();
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(told).toEqual(['1 connection 1000']);
    watch.stop();
  });

  test('does not count the time in which it could not look', () => {
    const { watch, told } = reporter(TIMEOUTS, [still('connection')]);
    watch.start();
    vi.advanceTimersByTime(250);
    // The process was asleep: the clock went on, and one look is late.
    const now = vi.spyOn(performance, 'now');
    const asleepMs = 60_000;
    const awake = performance.now();
    now.mockImplementation(() => awake + asleepMs);
    vi.advanceTimersByTime(250);
    expect(told).toEqual([]);
    now.mockImplementation(() => awake + asleepMs + 200);
    vi.advanceTimersByTime(250);
    expect(told).toEqual([]);
    // Three looks' time of the gap count, as they would have without a sleep.
    now.mockImplementation(() => awake + asleepMs + 250);
    vi.advanceTimersByTime(250);
    expect(told).toEqual(['1 connection 1000']);
    now.mockRestore();
    watch.stop();
  });
});
