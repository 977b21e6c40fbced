/** No call waits without end, whatever of the caller's it goes through: credentials, handlers, middleware. */

import { abortable } from '../abort.ts';
import { TransmissionError } from '../layer/part-transmitter.ts';

/**
 * Longest time of a call that carries no part, or until a part's request is signed. Credentials may come
 * from a program that asks a person; the network has shorter bounds of its own.
 */
export const CALL_MS_MAX = 300_000;

/**
 * Waits for `call`, but not for ever, and not after an abort. The SDK hears neither a clock nor an abort
 * while it waits for credentials.
 * @param handed resolves when the call is in hands that hear both: from then on only it is waited for
 * @throws TransmissionError; the signal's reason
 */
export async function withinTime<T>(
  call: Promise<T>,
  handed: Promise<void> | undefined,
  signal: AbortSignal,
  waitedMsMax: number = CALL_MS_MAX,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `it did not come to an end within ${waitedMsMax} ms`;
      reject(new TransmissionError('timeout', message, { waitedMs: waitedMsMax }));
    }, waitedMsMax);
  });
  const first: (Promise<T> | Promise<never> | Promise<void>)[] = [call, late];
  if (handed !== undefined) first.push(handed);
  try {
    await abortable<unknown>(Promise.race(first), signal);
  } catch (error) {
    call.catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return call;
}
