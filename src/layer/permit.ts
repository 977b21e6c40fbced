import type { LimitFunction } from 'p-limit';

/**
 * Waits for one of the limiter's permits and resolves with the function that gives it back.
 * For work that does not fit into one function call. After an abort its place in the queue passes by itself.
 */
export async function takePermit(limit: LimitFunction, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void limit(
      () =>
        new Promise<void>((giveBack) => {
          signal.removeEventListener('abort', onAbort);
          if (signal.aborted) giveBack();
          else resolve(giveBack);
        }),
    );
  });
}
