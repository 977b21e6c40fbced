/** Requests that put or delete a manifest. */

import { createHash } from 'node:crypto';
import { digestFromHex } from '../../digest.ts';
import { EcrException } from '../exception.ts';
import { parseManifest } from '../manifest.ts';
import type { OpenCall } from './api-calls.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { RegistryAnswer } from './registry-reply.ts';
import type { RequestContext } from './request-context.ts';
import type { Reference } from './route.ts';

export interface PushedManifest {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
}

export async function putManifest(
  { calls, service }: RequestContext,
  call: OpenCall,
  repositoryName: string,
  reference: Reference,
  pushed: PushedManifest,
): Promise<RegistryAnswer> {
  const imageManifest = textOf(pushed.bytes);
  const mediaType = pushed.contentType?.split(';', 1)[0]?.trim();
  const given = mediaType === undefined ? {} : { imageManifestMediaType: mediaType };
  const input = { repositoryName, imageManifest, ...reference, ...given };
  try {
    await calls.run(call, input);
  } catch (error) {
    const isThere = error instanceof EcrException && error.name === 'ImageAlreadyExistsException';
    if (!isThere) throw error;
    // A tag that must not change may not even be set to what it is (containers-roadmap#2179, M);
    // all other repetitions succeed.
    const tag = 'imageTag' in reference ? reference.imageTag : undefined;
    const repository = service.registry.repository({ repositoryName });
    if (tag !== undefined && repository.isImmutable(tag)) throw immutable(tag, repositoryName);
  }
  const digest = digestFromHex(createHash('sha256').update(pushed.bytes).digest('hex'));
  const { subjectDigest } = parseManifest(imageManifest, mediaType);
  return {
    // Without `Location` (rust-oci-client#33, H).
    statusCode: 201,
    headers: {
      'docker-content-digest': digest,
      ...(subjectDigest === undefined ? {} : { 'oci-subject': subjectDigest }),
    },
  };
}

/** Served since 2021 (containers-roadmap#1229, H); the details are the specification's (L). */
export async function deleteManifest(
  { calls }: RequestContext,
  call: OpenCall,
  repositoryName: string,
  reference: Reference,
): Promise<RegistryAnswer> {
  const output = await calls.run(call, { repositoryName, imageIds: [reference] });
  const { failures } = output as {
    readonly failures: readonly { readonly failureCode: string; readonly failureReason: string }[];
  };
  const failure = failures[0];
  if (failure === undefined) return { statusCode: 202 };
  if (failure.failureCode === 'ImageNotFound') {
    throw new RegistryFailure(404, 'MANIFEST_UNKNOWN', failure.failureReason);
  }
  throw new RegistryFailure(403, 'DENIED', failure.failureReason);
}

// A manifest is kept as text: one whose bytes are no text could not be given back as it was.
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RegistryFailure(405, 'UNSUPPORTED', 'The image manifest is not valid UTF-8');
  }
}

function immutable(tag: string, repositoryName: string): EcrException {
  return new EcrException(
    'ImageTagAlreadyExistsException',
    `The image tag '${tag}' already exists in the '${repositoryName}' repository and cannot be ` +
      'overwritten because the repository is immutable.',
  );
}
