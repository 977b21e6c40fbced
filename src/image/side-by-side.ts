/**
 * Waits for all of it. When one fails, stops the others and waits for them too, so that nothing runs on
 * behind the caller's back; then throws what failed first.
 */
export async function settleTogether(
  work: readonly Promise<unknown>[],
  stop: AbortController,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    work.map((one) =>
      one.catch((error: unknown) => {
        failure ??= { error };
        stop.abort(failure.error);
      }),
    ),
  );
  if (failure !== undefined) throw failure.error;
}
