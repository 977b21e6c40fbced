import { getPriority, setPriority } from 'node:os';

/** Steps by which a worker is nicer than the program that it works for. */
const NICER_BY = 5;
/** The nicest there is (setpriority(2)). */
const NICEST = 19;

/**
 * Lets the embedding program's own thread go first where both want the same core. On Linux a priority
 * belongs to a thread, and 0 means the calling one; elsewhere it would be the whole process's.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(getPriority(0) + NICER_BY, NICEST));
  } catch {
    // A sandbox that forbids it: then all threads are equal.
  }
}
