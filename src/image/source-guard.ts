import { sourceUnreadable } from '../layer/source-errors.ts';

/**
 * Asks an image source, which may be anybody's code: whatever it throws becomes an error of ours.
 * @throws LongshoreError E_SOURCE_UNREADABLE, or the source's own; the signal's reason
 */
export async function fromSource<T>(
  label: string,
  signal: AbortSignal,
  ask: () => T | Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw signal.aborted ? signal.reason : sourceUnreadable(label, error);
  }
}
