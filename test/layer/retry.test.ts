import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { type FaultKind, RegistryFault } from '../../src/layer/ports.ts';
import { backoffMs, callWithRetry } from '../../src/layer/retry.ts';

const policy = { attemptsMax: 4, delayMs: 1, delayMsMax: 2 };
const never = new AbortController().signal;

function fault(kind: FaultKind, retryAfterMs?: number): RegistryFault {
  const details = { operation: 'InitiateLayerUpload' };
  const error = new LongshoreError('E_REGISTRY_FAULT', 'it failed', details);
  return new RegistryFault(kind, error, retryAfterMs === undefined ? {} : { retryAfterMs });
}

describe('back-off', () => {
  test('stays below its doubling bound, and never goes below half of it after throttling', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (failureCount, random) => {
          const wide = { attemptsMax: 9, delayMs: 200, delayMsMax: 10_000 };
          const bound = Math.min(10_000, 200 * 2 ** (failureCount - 1));
          const delayMs = backoffMs(fault('ambiguous'), failureCount, wide, () => random);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(bound);
          const throttledMs = backoffMs(fault('throttled'), failureCount, wide, () => random);
          expect(throttledMs).toBeGreaterThanOrEqual(bound / 2);
          expect(throttledMs).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  test('draws from all of the bound, and from its upper half after throttling', () => {
    const wide = { attemptsMax: 9, delayMs: 200, delayMsMax: 10_000 };
    const drawn = (kind: FaultKind, failureCount: number): number =>
      backoffMs(fault(kind), failureCount, wide, () => 0.5);
    expect([1, 2, 3, 40].map((count) => drawn('ambiguous', count))).toEqual([100, 200, 400, 5_000]);
    expect([1, 2, 40].map((count) => drawn('throttled', count))).toEqual([150, 300, 7_500]);
    expect(backoffMs(fault('ambiguous', 50), 1, wide, () => 0.5)).toBe(100);
  });

  test('waits as long as the registry asks for, up to the largest delay', () => {
    const wide = { attemptsMax: 9, delayMs: 200, delayMsMax: 10_000 };
    expect(backoffMs(fault('throttled', 3_000), 1, wide, () => 0)).toBe(3_000);
    expect(backoffMs(fault('throttled', 60_000), 1, wide, () => 0)).toBe(10_000);
  });

  test('does not wait after credentials or clock were renewed', () => {
    expect(backoffMs(fault('renewed'), 1, { ...policy, delayMs: 1_000 }, () => 1)).toBe(0);
  });
});

describe('call with retry', () => {
  test.each(['ambiguous', 'throttled', 'renewed'] as const)(
    'tries again after %s',
    async (kind) => {
      const told: number[] = [];
      const result = await callWithRetry(
        (attempt) => (attempt < 3 ? Promise.reject(fault(kind)) : Promise.resolve('done')),
        policy,
        never,
        (_fault, attempt) => told.push(attempt),
      );
      expect(result).toBe('done');
      expect(told).toEqual([1, 2]);
    },
  );

  test.each([
    'final',
    'upload-lost',
    'part-out-of-order',
    'already-exists',
    'repository-missing',
  ] as const)('does not try again after %s', async (kind) => {
    let attempts = 0;
    const call = async (): Promise<never> => {
      attempts += 1;
      throw fault(kind);
    };
    await expect(callWithRetry(call, policy, never, () => undefined)).rejects.toMatchObject({
      kind,
    });
    expect(attempts).toBe(1);
  });

  test('gives the last fault up when the attempts are used', async () => {
    let attempts = 0;
    const call = async (): Promise<never> => {
      attempts += 1;
      throw fault('ambiguous');
    };
    await expect(callWithRetry(call, policy, never, () => undefined)).rejects.toBeInstanceOf(
      RegistryFault,
    );
    expect(attempts).toBe(policy.attemptsMax);
  });

  test('ends at once, with the reason, when aborted during the wait', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const call = callWithRetry(
      () => Promise.reject(fault('ambiguous')),
      { attemptsMax: 4, delayMs: 60_000, delayMsMax: 60_000 },
      abort.signal,
      () => abort.abort(reason),
    );
    await expect(call).rejects.toBe(reason);
  });

  test('lets what is no fault of the registry through at once', async () => {
    const error = new TypeError('a defect');
    let attempts = 0;
    const call = async (): Promise<never> => {
      attempts += 1;
      throw error;
    };
    await expect(callWithRetry(call, policy, never, () => undefined)).rejects.toBe(error);
    expect(attempts).toBe(1);
  });

  test('fails with the reason of the abort, whatever the call under way failed with', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const told: number[] = [];
    const call = callWithRetry(
      () => {
        abort.abort(reason);
        return Promise.reject(fault('ambiguous'));
      },
      policy,
      abort.signal,
      (_fault, attempt) => told.push(attempt),
    );
    await expect(call).rejects.toBe(reason);
    expect(told).toEqual([]);
  });
});
