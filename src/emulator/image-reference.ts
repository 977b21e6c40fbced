/** Finding an image by tag, digest or both, and saying why there is none. */

import { isDigest } from '../digest.ts';
import type { RepositoryState, StoredImage } from './repository-state.ts';

/** The grammar of tags in the distribution specification; ECR's model only bounds the length. */
export const TAG: RegExp = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export interface ImageReference {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

const REASONS = {
  MissingDigestAndTag: 'Invalid request parameters: both tag and digest cannot be null',
  InvalidImageDigest: 'Invalid request parameters: image digest should satisfy the regex',
  ImageNotFound: 'Requested image not found',
  ImageTagDoesNotMatchDigest: 'The image tag does not match the image digest',
  ImageReferencedByManifestList: 'Requested image referenced by manifest list',
} as const;

export type ImageFailure = keyof typeof REASONS;

export function resolveImage(
  repository: RepositoryState,
  { imageDigest, imageTag }: ImageReference,
): StoredImage | ImageFailure {
  if (imageDigest === undefined && imageTag === undefined) return 'MissingDigestAndTag';
  if (imageDigest !== undefined && !isDigest(imageDigest)) return 'InvalidImageDigest';
  const tagged = imageTag === undefined ? undefined : repository.tags.get(imageTag);
  if (imageTag !== undefined && tagged === undefined) return 'ImageNotFound';
  const digest = imageDigest ?? tagged;
  if (tagged !== undefined && tagged !== digest) return 'ImageTagDoesNotMatchDigest';
  return (isDigest(digest) ? repository.images.get(digest) : undefined) ?? 'ImageNotFound';
}

export function failureOf(
  imageId: ImageReference,
  failureCode: ImageFailure,
): Readonly<Record<string, unknown>> {
  return { imageId, failureCode, failureReason: REASONS[failureCode] };
}
