/** What the AWS SDK threw, fit to be the cause of an error that people log. */

/** Longest chain of causes that is looked through. */
const DEPTH_MAX = 16;

/**
 * The same without replies. The SDK hangs the whole reply on its errors, out of `JSON.stringify`'s sight
 * but not of every logger's: from it the way leads to the request, and so to the signature, the session
 * token and the socket.
 */
export function bareCause(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error) || depth > DEPTH_MAX) return thrown;
  const cause = bareCause(thrown.cause, depth + 1);
  const { $response: reply, ...own } = Object.getOwnPropertyDescriptors(thrown) as Readonly<
    Record<string, PropertyDescriptor>
  >;
  if (reply === undefined && cause === thrown.cause) return thrown;
  // A copy: the SDK's own property cannot be deleted.
  const bare = Object.create(Object.getPrototypeOf(thrown) as object, own) as Error;
  if (cause !== undefined) bare.cause = cause;
  return bare;
}
