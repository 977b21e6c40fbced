/** What a mapping's `from` means: a layout, a repository, or all repositories of a pattern. */

import { basename, resolve } from 'node:path';
import picomatch from 'picomatch';
import { LongshoreError, optionInvalid } from '../errors.ts';
import { parseReference } from '../registry/reference.ts';

export type From =
  | { readonly kind: 'layout'; readonly path: string; readonly folder: string }
  | { readonly kind: 'repository'; readonly registry: string; readonly repository: string }
  | {
      readonly kind: 'pattern';
      readonly registry: string;
      readonly matches: (repository: string) => boolean;
    };

const LAYOUT_PREFIX = 'oci:';
/** As Docker has it: what has none of these before the first slash is no registry's name. */
const REGISTRY_MARK = /[.:]|^localhost$/;
const EXPECTED =
  'a repository without tag (docker.io/library/nginx), with * or ** in it (ghcr.io/team/*), or the ' +
  'folder of an OCI layout (oci:./images)';

/** @throws LongshoreError E_OPTION_INVALID */
export function parseFrom(from: string): From {
  if (from.startsWith(LAYOUT_PREFIX)) {
    const path = from.slice(LAYOUT_PREFIX.length);
    if (path === '') throw optionInvalid('from', EXPECTED, JSON.stringify(from));
    return { kind: 'layout', path, folder: basename(resolve(path)) };
  }
  if (!from.includes('*')) return { kind: 'repository', ...parseRepository(from) };
  const slash = from.indexOf('/');
  const host = from.slice(0, Math.max(slash, 0));
  const isNamed = REGISTRY_MARK.test(host);
  // The stars stand in the repository only: nobody lists registries.
  if (host.includes('*') && isNamed) throw optionInvalid('from', EXPECTED, JSON.stringify(from));
  const pattern = isNamed ? from.slice(slash + 1) : from;
  const { registry } = isNamed ? parseRepository(`${host}/any`) : { registry: 'docker.io' };
  return { kind: 'pattern', registry, matches: matcherOf(pattern) };
}

/** @throws LongshoreError E_OPTION_INVALID */
function parseRepository(from: string): {
  readonly registry: string;
  readonly repository: string;
} {
  const { registry, repository, digest } = parsed(from);
  const hasTag = from.slice(from.lastIndexOf('/') + 1).includes(':');
  if (digest === undefined && !hasTag) return { registry, repository };
  throw optionInvalid('from', EXPECTED, JSON.stringify(from));
}

function parsed(from: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(from);
  } catch (error) {
    if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
    // What it says was received has no password in it.
    throw optionInvalid('from', EXPECTED, error.details.received);
  }
}

/** Of the characters that repositories do not have, only the star has a meaning. */
function matcherOf(pattern: string): (repository: string) => boolean {
  return picomatch(pattern, {
    dot: true,
    nobrace: true,
    nobracket: true,
    noext: true,
    nonegate: true,
  });
}

/** A pattern that names no repository: likely a mistake, and a mirror that does nothing looks healthy. */
export function nothingFound(from: string): LongshoreError<'E_IMAGE_NOT_FOUND'> {
  return new LongshoreError(
    'E_IMAGE_NOT_FOUND',
    `${from} matches no repository that the registry lists; * stands for anything but /, ** for anything`,
    { source: from, wanted: from, choices: [] },
  );
}
