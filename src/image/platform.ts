/** Platforms as people write them, and which of an index's images they mean. */

import type { Platform } from './descriptor.ts';

/** `os/architecture` or `os/architecture/variant`. */
const PLATFORM = /^([a-z0-9_.-]+)\/([a-z0-9_.-]+)(?:\/([a-z0-9_.-]+))?$/;

/** Variants that say nothing: containerd and docker treat the architecture alone as the same. */
const DEFAULT_VARIANT: ReadonlyMap<string, string> = new Map([
  ['arm64', 'v8'],
  ['arm', 'v7'],
  ['amd64', 'v1'],
]);

/** Reads `linux/arm64/v8`; `undefined` if it is nothing of the kind. */
export function parsePlatform(text: string): Platform | undefined {
  const [, os, architecture, variant] = PLATFORM.exec(text) ?? [];
  if (os === undefined || architecture === undefined) return undefined;
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

export function formatPlatform({ os, architecture, variant, osVersion }: Platform): string {
  const version = osVersion === undefined ? '' : ` (${osVersion})`;
  return `${os}/${architecture}${variant === undefined ? '' : `/${variant}`}${version}`;
}

/** Whether `found` is what was asked for by `wanted`. A wanted platform names no Windows version. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  return (
    wanted.os === found.os &&
    wanted.architecture === found.architecture &&
    variantOf(wanted) === variantOf(found)
  );
}

function variantOf({ architecture, variant }: Platform): string | undefined {
  return variant ?? DEFAULT_VARIANT.get(architecture);
}
