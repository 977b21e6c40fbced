/** What a request says, checked before anything is opened or sent. */

import { type Digest, isDigest } from './digest.ts';
import type { ImageRequest, VerificationRequest } from './image/image-request.ts';
import type { LayerSource } from './layer/layer-source.ts';
import { optionInvalid } from './uploader-options.ts';

/** ECR's pattern for repository names (model, H), and its length limits. */
const REPOSITORY_NAME =
  /^(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REPOSITORY_NAME_LENGTH = { min: 2, max: 256 };
/** The distribution specification's grammar of tags; ECR's model only bounds the length. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Tags of one image (quotas, H). */
const TAGS_MAX = 1000;
const PLATFORM = /^[a-z0-9_.-]+\/[a-z0-9_.-]+(?:\/[a-z0-9_.-]+)?$/;

function assertRepository(repository: string): void {
  const { min, max } = REPOSITORY_NAME_LENGTH;
  if (repository.length < min || repository.length > max || !REPOSITORY_NAME.test(repository)) {
    throw optionInvalid(
      'repository',
      `a repository name of ${min} to ${max} lower-case characters, without registry host or tag`,
      repository,
    );
  }
}

export function assertLayerRequest(request: {
  readonly repository: string;
  readonly source: LayerSource;
  readonly digest?: Digest;
}): void {
  const { repository, source, digest } = request;
  assertRepository(repository);
  if (typeof source?.open !== 'function') {
    throw optionInvalid(
      'source',
      'fileSource(), bytesSource(), streamSource(), ...',
      typeof source,
    );
  }
  for (const value of [digest, source.digest]) {
    if (value !== undefined && !isDigest(value)) {
      throw optionInvalid('digest', "'sha256:' and 64 hexadecimal digits", String(value));
    }
  }
}

export function assertImageRequest(request: ImageRequest): void {
  const { repository, image, tags = [], platforms = [] } = request;
  assertRepository(repository);
  assertImage(image);
  if (tags.length > TAGS_MAX) {
    throw optionInvalid('tags', `at most ${TAGS_MAX} tags`, `${tags.length} tags`);
  }
  for (const tag of tags) assertTag('tags', tag);
  assertPlatforms(platforms);
}

export function assertVerificationRequest(request: VerificationRequest): void {
  const { repository, reference, image, platforms = [] } = request;
  assertRepository(repository);
  if (!isDigest(reference)) assertTag('reference', reference);
  if (image !== undefined) assertImage(image);
  assertPlatforms(platforms);
}

function assertImage(image: ImageRequest['image']): void {
  if (typeof image?.open === 'function') return;
  const expected = 'ociLayoutImage(), archiveImage(), registryImage(), manifestImage(), ...';
  throw optionInvalid('image', expected, typeof image);
}

function assertPlatforms(platforms: readonly string[]): void {
  for (const platform of platforms) {
    if (!PLATFORM.test(platform)) {
      throw optionInvalid('platforms', 'os/architecture, such as linux/amd64', platform);
    }
  }
}

function assertTag(option: string, tag: unknown): void {
  if (typeof tag === 'string' && TAG.test(tag)) return;
  throw optionInvalid(
    option,
    'a tag of up to 128 letters, digits, dots, dashes and underscores',
    typeof tag === 'string' ? tag.slice(0, 200) : `a ${typeof tag}`,
  );
}
