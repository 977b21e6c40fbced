/** Work that ends with its caller's signal or with its owner, whichever comes first. */

/** Runs `work` with a signal that follows both; leaves no listener on either. */
export async function withinBoth<T>(
  signal: AbortSignal,
  owner: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  owner.throwIfAborted();
  const scope = new AbortController();
  const onAbort = (): void => scope.abort(signal.reason);
  const onEnd = (): void => scope.abort(owner.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  owner.addEventListener('abort', onEnd, { once: true });
  try {
    return await work(scope.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    owner.removeEventListener('abort', onEnd);
  }
}
