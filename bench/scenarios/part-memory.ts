/** How much memory a number of parts in flight needs. */

const MIB: number = 2 ** 20;
/** Two parts more than the window may be in the making. */
const PARTS_BEYOND_WINDOW = 2;
const DEFAULT_MIB = 128;

/** A budget that is in nobody's way, never below the default; whole MiB, in bytes. */
export function memoryFor(partsInFlight: number, partSizeBytes: number): number {
  // Bodies are a third larger than parts.
  const neededMib = ((partsInFlight + PARTS_BEYOND_WINDOW) * partSizeBytes * 4) / 3 / MIB;
  return Math.max(DEFAULT_MIB, Math.ceil(neededMib)) * MIB;
}
