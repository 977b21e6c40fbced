/** A manifest as a registry hands it out. */

import { type Digest, isDigest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { digestOf, manifestTooLarge } from '../image/manifest.ts';
import { MANIFEST_TYPES } from '../image/media-type.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import { readWhole } from './body-reader.ts';
import type { HttpReply } from './transport.ts';

export interface RegistryManifest {
  /** At most 4 MiB. */
  readonly bytes: Uint8Array;
  /** Computed from the bytes. */
  readonly digest: Digest;
  /** As the reply's header says; `undefined` where that says nothing of images. */
  readonly mediaType: string | undefined;
}

/** What a registry says of a manifest without handing it out. Nothing of it is checked. */
export interface ManifestHead {
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
}

/** Anything else is asked for as well, to be told by name rather than not to be found. */
export const MANIFEST_ACCEPT: string = [...MANIFEST_TYPES, '*/*;q=0.1'].join(', ');

/** What all types of manifests have in common; `application/json` and the like say nothing. */
const MANIFEST_TYPE = /^application\/vnd\.[\w.+-]+\+(json|prettyjws)$/;

/**
 * @param expectation.reference a tag, or the digest that the bytes must have
 * @throws LongshoreError E_DIGEST_MISMATCH, E_IMAGE_UNSUPPORTED over 4 MiB; what the connection threw
 */
export async function readManifestReply(
  reply: HttpReply,
  expectation: {
    readonly source: string;
    readonly reference: string;
    readonly stallTimeoutMs: number;
  },
  signal: AbortSignal,
): Promise<RegistryManifest> {
  const { source, reference, stallTimeoutMs } = expectation;
  const length = Number(reply.header('content-length') ?? 0);
  if (length > MANIFEST_SIZE_MAX_BYTES) throw manifestTooLarge(source, length);
  const bytes = await readWhole(reply, MANIFEST_SIZE_MAX_BYTES, stallTimeoutMs, signal);
  if (bytes === undefined) throw manifestTooLarge(source, MANIFEST_SIZE_MAX_BYTES + 1);
  const actual = digestOf(bytes);
  for (const expected of [reference, toldDigest(reply)]) {
    if (isDigest(expected) && expected !== actual) throw mismatch(source, expected, actual);
  }
  return { bytes, digest: actual, mediaType: mediaTypeOf(reply) };
}

export function readManifestHead(reply: HttpReply): ManifestHead {
  const length = Number(reply.header('content-length') ?? Number.NaN);
  return {
    digest: toldDigest(reply),
    mediaType: mediaTypeOf(reply),
    sizeBytes: Number.isSafeInteger(length) ? length : undefined,
  };
}

function toldDigest(reply: HttpReply): Digest | undefined {
  const told = reply.header('docker-content-digest');
  return isDigest(told) ? told : undefined;
}

function mediaTypeOf(reply: HttpReply): string | undefined {
  const [type = ''] = (reply.header('content-type') ?? '').split(';');
  return MANIFEST_TYPE.test(type.trim()) ? type.trim() : undefined;
}

function mismatch(source: string, expected: Digest, actual: Digest): LongshoreError {
  return new LongshoreError(
    'E_DIGEST_MISMATCH',
    `${source}: the manifest should have the digest ${expected} and has ${actual}; something on the ` +
      'way, or the registry, has changed it',
    { expected, actual, source },
  );
}
