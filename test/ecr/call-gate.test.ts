import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallGate } from '../../src/ecr/call-gate.ts';
import { TokenBucket } from '../../src/emulator/token-bucket.ts';

const never = (): AbortSignal => new AbortController().signal;
const ROUND_TRIP_MS = 40;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Calls again and again, `callers` at a time, until `endAtMs`; counts what a bucket of ECR's takes. */
class Load {
  accepted = 0;
  refused = 0;
  readonly #gate: CallGate;
  readonly #ecr: TokenBucket;

  constructor(gate: CallGate, ecr: TokenBucket) {
    this.#gate = gate;
    this.#ecr = ecr;
  }

  async run(callers: number, endAtMs: number): Promise<void> {
    await Promise.all(Array.from({ length: callers }, () => this.#call(endAtMs)));
  }

  async #call(endAtMs: number): Promise<void> {
    while (performance.now() < endAtMs) {
      await this.#gate.enter(never());
      const begunAtMs = performance.now();
      await pause(ROUND_TRIP_MS / 2);
      const isAccepted = this.#ecr.take(performance.now());
      await pause(ROUND_TRIP_MS / 2);
      if (isAccepted) this.accepted += 1;
      else {
        this.refused += 1;
        this.#gate.throttled(begunAtMs);
      }
    }
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

describe('under a quota', () => {
  test.each([10, 100])(
    'of %i a second, no call is refused, and in the first ten seconds 85 in 100 of it are used',
    async (quota) => {
      const load = new Load(
        new CallGate(quota * 0.8),
        new TokenBucket(quota, quota, performance.now()),
      );
      const ended = load.run(64, performance.now() + 10_000);
      await vi.advanceTimersByTimeAsync(20_000);
      await ended;
      expect(load.refused).toBe(0);
      expect(load.accepted).toBeGreaterThanOrEqual(quota * 10 * 0.85);
    },
  );

  test('that two programs share, they come to share it, and little is refused', async () => {
    const ecr = new TokenBucket(100, 100, performance.now());
    const loads = [80, 80].map((perSecond) => new Load(new CallGate(perSecond), ecr));
    const endAtMs = performance.now() + 120_000;
    const ended = Promise.all(loads.map((load) => load.run(20, endAtMs)));
    await vi.advanceTimersByTimeAsync(130_000);
    await ended;

    const accepted = loads.reduce((sum, load) => sum + load.accepted, 0);
    const refused = loads.reduce((sum, load) => sum + load.refused, 0);
    expect(accepted).toBeGreaterThan(120 * 100 * 0.7);
    expect(refused).toBeLessThan(accepted * 0.02);
    for (const load of loads) expect(load.accepted).toBeGreaterThan(accepted / 4);
  });
});

test('calls leave in the order in which they came', async () => {
  const gate = new CallGate(2);
  const left: number[] = [];
  const entered = Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      await gate.enter(never());
      left.push(index);
    }),
  );
  await vi.advanceTimersByTimeAsync(0);
  expect(left).toEqual([0, 1]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(left).toEqual([0, 1, 2, 3]);
  await vi.advanceTimersByTimeAsync(2000);
  await entered;
  expect(left).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('nobody overtakes those who wait, even when the timer is late', async () => {
  let nowMs = 0;
  const gate = new CallGate(1, () => nowMs);
  const left: string[] = [];
  await gate.enter(never());
  const first = gate.enter(never()).then(() => left.push('first'));
  nowMs = 1500;
  const second = gate.enter(never()).then(() => left.push('second'));
  await vi.advanceTimersByTimeAsync(0);
  expect(left).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  nowMs = 2500;
  await vi.advanceTimersByTimeAsync(1000);
  await Promise.all([first, second]);
  expect(left).toEqual(['first', 'second']);
});

test('an abort ends a wait at once, without a token; those behind move up', async () => {
  const gate = new CallGate(1);
  await gate.enter(never());
  const abort = new AbortController();
  const aborted = gate.enter(abort.signal);
  const behind = gate.enter(never());
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await vi.advanceTimersByTimeAsync(1000);
  await behind;
  await expect(gate.enter(abort.signal)).rejects.toThrow('enough');
});

test('the timer ends with the last of those who wait', async () => {
  const gate = new CallGate(1);
  await gate.enter(never());
  const abort = new AbortController();
  const waiting = [gate.enter(abort.signal), gate.enter(abort.signal)];
  expect(vi.getTimerCount()).toBe(1);
  abort.abort(new Error('enough'));
  await expect(Promise.allSettled(waiting)).resolves.toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('after a throttled call those who wait leave at half the rate', async () => {
  const gate = new CallGate(100);
  await gate.enter(never());
  await vi.advanceTimersByTimeAsync(1000);
  gate.throttled(0);
  let left = 0;
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const calls = Array.from({ length: 200 }, async () => {
    await gate.enter(abort.signal);
    left += 1;
  });
  await vi.advanceTimersByTimeAsync(1000);
  // It grows by a twentieth of the setting meanwhile.
  expect(left).toBeGreaterThanOrEqual(49);
  expect(left).toBeLessThanOrEqual(55);
  abort.abort();
  await Promise.allSettled(calls);
});

test('a call that was under way when the rate was cut costs nothing more', async () => {
  const gate = new CallGate(4);
  const begunAtMs = performance.now();
  await Promise.all([gate.enter(never()), gate.enter(never())]);
  gate.throttled(begunAtMs);
  await vi.advanceTimersByTimeAsync(500);
  gate.throttled(begunAtMs);
  await gate.enter(never());
  expect(vi.getTimerCount()).toBe(0);
});
