/** When an attempt is made again, and after which wait. */

import type { ResolvedRegistryOptions } from './client-options.ts';
import { ReadFault } from './read-fault.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Longest wait that a registry may ask for; one that asks for more is told to the user instead. Where a
 * client has `RegistryTraffic`, that waits, and for longer.
 */
const RETRY_AFTER_MS_MAX = 60_000;

/** @throws what ended the last attempt, or the signal's reason */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  options: ResolvedRegistryOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<T> {
  for (let failureCount = 1; ; failureCount += 1) {
    try {
      return await attempt();
    } catch (error) {
      await waitForRetry(error, failureCount, options, surroundings, signal);
    }
  }
}

/**
 * Resolves when the next attempt is due.
 * @param failureCount attempts in a row that failed
 * @throws `error` if there shall be none
 */
export async function waitForRetry(
  error: unknown,
  failureCount: number,
  options: ResolvedRegistryOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw signal.reason;
  if (!(error instanceof ReadFault) || error.kind !== 'transient') throw error;
  const askedMs = error.facts.retryAfterMs ?? 0;
  if (failureCount >= options.attemptsMax || askedMs > RETRY_AFTER_MS_MAX) throw error;
  const bound = Math.min(
    options.retryDelayMsMax,
    options.retryDelayMs * 2 ** Math.min(failureCount - 1, 30),
  );
  // At random, so that many clients do not come back together.
  const chosenMs = Math.max(Math.round(surroundings.random() * bound), askedMs);
  if (chosenMs > 0) await surroundings.delay(chosenMs, signal);
}
