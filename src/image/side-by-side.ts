/**
 * Waits for all of it. When one fails, stops the others and waits for them too, so that nothing runs on
 * behind the caller's back; then throws what failed first.
 * @param drain once it aborts, what has not begun fails with its reason, and what has begun goes on
 */
export async function settleTogether(
  work: readonly Promise<unknown>[],
  stop: AbortController,
  drain?: AbortSignal,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    work.map((one) =>
      one.catch((error: unknown) => {
        failure ??= { error };
        const isDrained = drain?.aborted === true && error === drain.reason;
        if (!isDrained) stop.abort(error);
      }),
    ),
  );
  if (failure !== undefined) throw failure.error;
}
