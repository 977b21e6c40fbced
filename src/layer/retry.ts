/** The one retry loop for calls that do not carry a part, and the back-off that both kinds share. */

import { abortableDelay } from '../abort.ts';
import { RegistryFault } from './ports.ts';

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attemptsMax: number;
  /** Upper bound of the first delay; it doubles with each failure. */
  readonly delayMs: number;
  /** Upper bound of every delay. */
  readonly delayMsMax: number;
}

/** Told of each attempt that failed and will be repeated. */
export type OnRetry = (fault: RegistryFault, attempt: number, delayMs: number) => void;

/**
 * How long to wait after `failureCount` failures in a row: at random below a bound that doubles, so
 * that many clients do not come back together; not at all after credentials or clock were renewed.
 */
export function backoffMs(
  fault: RegistryFault,
  failureCount: number,
  policy: RetryPolicy,
  random: () => number = Math.random,
): number {
  if (fault.kind === 'renewed') return 0;
  const bound = Math.min(policy.delayMsMax, policy.delayMs * 2 ** Math.min(failureCount - 1, 30));
  // Never less than half the bound after throttling: the registry asked for less.
  const floor = fault.kind === 'throttled' ? bound / 2 : 0;
  const chosen = floor + random() * (bound - floor);
  return Math.round(Math.min(Math.max(chosen, fault.retryAfterMs ?? 0), policy.delayMsMax));
}

/** Whether another attempt may cure the fault. */
export function isTransient(fault: RegistryFault): boolean {
  return fault.kind === 'ambiguous' || fault.kind === 'throttled' || fault.kind === 'renewed';
}

/**
 * Calls until it succeeds, fails for good, or the attempts are used up.
 * @throws RegistryFault the last one; anything else that `call` throws passes through
 */
export async function callWithRetry<T>(
  call: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal,
  onRetry: OnRetry,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof RegistryFault) || !isTransient(error)) throw error;
      if (attempt >= policy.attemptsMax) throw error;
      const delayMs = backoffMs(error, attempt, policy);
      onRetry(error, attempt, delayMs);
      await abortableDelay(delayMs, signal);
    }
  }
}
