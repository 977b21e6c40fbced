/** The word SOURCE of a command line: where an image is, and in which form. */

import { UsageError } from './usage-error.ts';

/** What stands for standard input. */
export const STANDARD_INPUT = '-';

export type ImageLocation =
  /** `format` undefined: found out by its content. */
  | {
      readonly kind: 'archive';
      readonly path: string;
      readonly format: 'oci' | 'docker' | undefined;
      readonly reference: string | undefined;
    }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string | undefined }
  /** A folder or an archive, found out by a look at it. */
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'registry'; readonly reference: string };

/** What the meaning of a word may depend on. */
export interface LocationWorld {
  readonly exists: (path: string) => boolean;
  readonly platform: NodeJS.Platform;
}

/** skopeo's, of which the other end is not a file or a registry. */
const FOREIGN_TRANSPORT = /^(docker-daemon|containers-storage|dir|ostree|sif|tarball|atomic):/;
const ARCHIVE_FORMAT: Readonly<Record<string, 'oci' | 'docker'>> = {
  'oci-archive': 'oci',
  'docker-archive': 'docker',
};
const PATH_START = /^(?:[./~]|[A-Za-z]:[\\/])|\\/;
/** `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`; the library checks it to the letter. */
const REFERENCE =
  /^(?:([A-Za-z0-9.-]+(?::[0-9]+)?)\/)?([a-z0-9][a-z0-9._/-]*)(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$/;

/** @throws UsageError */
export function parseImageLocation(text: string, world: LocationWorld): ImageLocation {
  if (text === STANDARD_INPUT) {
    return { kind: 'archive', path: STANDARD_INPUT, format: undefined, reference: undefined };
  }
  if (text.startsWith('docker://')) {
    const reference = text.slice('docker://'.length);
    if (reference === '')
      throw new UsageError('docker:// needs a reference: docker://HOST/NAME:TAG');
    return { kind: 'registry', reference };
  }
  const transport = /^(oci|oci-archive|docker-archive):/.exec(text)?.[1];
  if (transport !== undefined) {
    const { path, reference } = splitPath(text.slice(transport.length + 1), transport, world);
    const format = ARCHIVE_FORMAT[transport];
    return format === undefined
      ? { kind: 'layout', path, reference }
      : { kind: 'archive', path, format, reference };
  }
  if (world.exists(text)) return { kind: 'local', path: text };
  const foreign = FOREIGN_TRANSPORT.exec(text)?.[1];
  if (foreign !== undefined) {
    throw new UsageError(
      `${text}: ${foreign}: is not supported; expected oci:, oci-archive:, docker-archive: or docker://`,
    );
  }
  const [beforeColon = ''] = text.split(':');
  if (beforeColon !== text && beforeColon !== '' && world.exists(beforeColon)) {
    throw new UsageError(
      `${text}: there is ${beforeColon} here; write oci:${text} for an image of that layout, ` +
        `or docker://${text} for a registry`,
    );
  }
  if (looksLikeReference(text)) return { kind: 'registry', reference: text };
  throw new UsageError(
    `${text}: no such file or folder, and no image reference with a host, a tag or a digest; ` +
      'for an image of Docker Hub write docker://NAME',
  );
}

/** At the first colon, as skopeo does; Windows' drive letters have one of their own. */
function splitPath(
  text: string,
  transport: string,
  world: LocationWorld,
): { readonly path: string; readonly reference: string | undefined } {
  const hasDrive = world.platform === 'win32' && /^[A-Za-z]:[\\/]/.test(text);
  const colon = text.indexOf(':', hasDrive ? 2 : 0);
  const path = colon < 0 ? text : text.slice(0, colon);
  const reference = colon < 0 ? undefined : text.slice(colon + 1);
  if (path === '' || reference === '') {
    throw new UsageError(
      `${transport}:${text}: expected ${transport}:PATH or ${transport}:PATH:REFERENCE`,
    );
  }
  if (reference?.startsWith('@') === true) {
    throw new UsageError(`${transport}:${text}: no images by their number; use --image-digest`);
  }
  return { path, reference };
}

/**
 * A word alone or with slashes may as well be a mistyped path: of a reference, something else must be
 * there to be seen.
 */
function looksLikeReference(text: string): boolean {
  if (PATH_START.test(text)) return false;
  const match = REFERENCE.exec(text);
  if (match === null) return false;
  const [, host = '', , tag, digest] = match;
  const hasHost = /[.:]/.test(host) || host === 'localhost';
  return hasHost || tag !== undefined || digest !== undefined;
}
