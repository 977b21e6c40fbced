/** Whether a stored image is the one that is asked for by a name. */

import { LongshoreError } from '../errors.ts';
import { formatReference, parseReference } from '../registry/reference.ts';

/**
 * Those whose names fit best: letter by letter, else with Docker's short forms written out (`app` is
 * `docker.io/library/app:latest`), else by the tag alone where only that was given, or only that is
 * known. A tag of another repository is another name.
 */
export function matchingReference<T>(
  reference: string,
  candidates: readonly T[],
  namesOf: (candidate: T) => readonly string[],
): readonly T[] {
  const full = inFull(reference);
  const matches = [
    (names: readonly string[]) => names.includes(reference),
    (names: readonly string[]) =>
      full !== undefined && names.some((name) => !isBare(name) && inFull(name) === full),
    isBare(reference)
      ? (names: readonly string[]) => names.some((name) => tagOf(name) === reference)
      : (names: readonly string[]) =>
          names.every(isBare) && names.some((n) => n === tagOf(reference)),
  ];
  for (const isMatch of matches) {
    const found = candidates.filter((candidate) => isMatch(namesOf(candidate)));
    if (found.length > 0) return found;
  }
  return [];
}

/** A word by itself, such as the tag that a layout may have instead of a whole reference. */
function isBare(name: string): boolean {
  return !/[/:@]/.test(name);
}

/** What follows the last colon, unless it is a port. */
function tagOf(reference: string): string | undefined {
  return /:([^:/@]+)$/.exec(reference)?.[1];
}

function inFull(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (error) {
    if (LongshoreError.is(error)) return undefined;
    throw error;
  }
}
