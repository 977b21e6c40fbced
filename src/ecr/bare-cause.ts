/** What the AWS SDK threw, fit to be the cause of an error that people log. */

/** Longest chain of causes that is looked through. */
const DEPTH_MAX = 16;
/** Most errors side by side that are looked through. */
const ERRORS_MAX = 256;

/**
 * The same without replies. The SDK hangs the whole reply on its errors, out of `JSON.stringify`'s sight
 * but not of every logger's: from it the way leads to the request, and so to the signature, the session
 * token and the socket.
 */
export function bareCause(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error) || depth > DEPTH_MAX) return thrown;
  const cause = bareCause(thrown.cause, depth + 1);
  const inner = innerErrors(thrown);
  const errors = inner?.map((error) => bareCause(error, depth + 1));
  const isChanged = errors?.some((error, index) => error !== inner?.[index]) ?? false;
  // The stack is an accessor of this very object in later versions of V8.
  const {
    $response: reply,
    stack: _stack,
    ...own
  } = Object.getOwnPropertyDescriptors(thrown) as Readonly<Record<string, PropertyDescriptor>>;
  if (reply === undefined && cause === thrown.cause && !isChanged) return thrown;
  // A copy: the SDK's own property cannot be deleted.
  const bare = Object.create(Object.getPrototypeOf(thrown) as object, own) as Error;
  define(bare, 'stack', thrown.stack);
  if (cause !== undefined) define(bare, 'cause', cause);
  if (isChanged) define(bare, 'errors', errors);
  return bare;
}

/** What an `AggregateError` holds. */
function innerErrors(error: Error): readonly unknown[] | undefined {
  const { errors } = error as { readonly errors?: unknown };
  return Array.isArray(errors) && errors.length <= ERRORS_MAX ? errors : undefined;
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
