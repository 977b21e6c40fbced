/** Whether a name that was asked for is one that an image has. */

import { formatReference, parseReference } from '../registry/reference.ts';

/** Something with names: an entry of a layout, or of a `docker save` archive. */
export interface Named {
  readonly names: readonly string[];
}

/**
 * Those that are named so; where there are none, those with that tag. A tag of another repository is
 * another name.
 */
export function namedSo<T extends Named>(wanted: string, entries: readonly T[]): readonly T[] {
  const full = inFull(wanted);
  const exact = entries.filter(({ names }) =>
    names.some((name) => name === wanted || (full !== undefined && inFull(name) === full)),
  );
  if (exact.length > 0) return exact;
  const tag = tagOf(wanted);
  return tag === undefined
    ? entries.filter(({ names }) => names.some((name) => tagOf(name) === wanted))
    : entries.filter(({ names }) => names.includes(tag) && names.every(isBare));
}

/** `docker.io/library/alpine:latest` for `alpine`; `undefined` for what is no reference. */
function inFull(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

/** What follows the last colon, if no slash does: that would be the port of a registry. */
function tagOf(name: string): string | undefined {
  return /:([^:/@]+)$/.exec(name)?.[1];
}

/** A word by itself, such as the tag that an OCI layout may have instead of a whole reference. */
function isBare(name: string): boolean {
  return !/[/:@]/.test(name);
}
