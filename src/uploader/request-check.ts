/** What a request says, checked before anything is opened or sent. */

import { type Digest, isDigest } from '../digest.ts';
import { optionInvalid } from '../errors.ts';
import { resolveCompression } from '../image/compression.ts';
import type { ImageRequest, VerificationRequest } from '../image/image-request.ts';
import { parsePlatform } from '../image/platform.ts';
import type { LayerSource } from '../layer/layer-source.ts';

/** ECR's pattern for repository names (model, H), and its length limits. */
const REPOSITORY_NAME =
  /^(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REPOSITORY_NAME_LENGTH = { min: 2, max: 256 };
/** The distribution specification's grammar of tags; ECR's model only bounds the length. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Tags of one image (quotas, H). */
const TAGS_MAX = 1000;

const LAYER_REQUEST = ['repository', 'source', 'digest', 'checkFirst'];
const IMAGE_REQUEST = [
  'repository',
  'image',
  'tags',
  'platforms',
  'referrers',
  'compression',
  'createRepository',
];
const VERIFICATION_REQUEST = [
  'repository',
  'reference',
  'referrers',
  'image',
  'platforms',
  'compression',
];

export function assertLayerRequest(request: LayerRequestLike): void {
  assertNames(request, LAYER_REQUEST);
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
  assertNames(request, IMAGE_REQUEST);
  const { repository, image, tags = [], platforms = [], compression } = request;
  assertRepository(repository);
  assertImage(image);
  assertList('tags', tags);
  if (tags.length > TAGS_MAX) {
    throw optionInvalid('tags', `at most ${TAGS_MAX} tags`, `${tags.length} tags`);
  }
  for (const tag of tags) assertTag('tags', tag);
  assertPlatforms(platforms);
  resolveCompression(compression);
  assertNewRepository(request.createRepository);
}

export function assertVerificationRequest(request: VerificationRequest): void {
  assertNames(request, VERIFICATION_REQUEST);
  const { repository, reference, image, platforms = [], compression } = request;
  assertRepository(repository);
  if (!isDigest(reference)) assertTag('reference', reference);
  if (image !== undefined) assertImage(image);
  assertPlatforms(platforms);
  resolveCompression(compression);
}

/** A misspelt name must not go unnoticed: an image without its tag, say. */
function assertNames(request: object, names: readonly string[]): void {
  if (typeof request !== 'object' || request === null) {
    throw optionInvalid('request', `an object with ${names.join(', ')}`, typeof request);
  }
  for (const name of Object.keys(request)) {
    if (!names.includes(name)) throw optionInvalid(name, `one of ${names.join(', ')}`, name);
  }
}

/** Whether ECR takes a repository of this name. */
export function isRepositoryName(name: string): boolean {
  const { min, max } = REPOSITORY_NAME_LENGTH;
  return name.length >= min && name.length <= max && REPOSITORY_NAME.test(name);
}

function assertRepository(repository: unknown): void {
  const { min, max } = REPOSITORY_NAME_LENGTH;
  if (typeof repository === 'string' && isRepositoryName(repository)) return;
  throw optionInvalid(
    'repository',
    `a repository name of ${min} to ${max} lower-case characters, without registry host or tag`,
    textOf(repository),
  );
}

function assertImage(image: ImageRequest['image']): void {
  if (typeof image?.open === 'function') return;
  const expected = 'ociLayoutImage(), archiveImage(), registryImage(), manifestImage(), ...';
  throw optionInvalid('image', expected, typeof image);
}

/** What the settings say is ECR's to check. */
function assertNewRepository(setting: unknown): void {
  const isSettings = typeof setting === 'object' && setting !== null && !Array.isArray(setting);
  if (setting === undefined || typeof setting === 'boolean' || isSettings) return;
  throw optionInvalid('createRepository', 'true, false or settings', textOf(setting));
}

function assertPlatforms(platforms: readonly string[]): void {
  assertList('platforms', platforms);
  for (const platform of platforms) {
    if (typeof platform !== 'string' || parsePlatform(platform) === undefined) {
      throw optionInvalid('platforms', 'os/architecture, such as linux/amd64', textOf(platform));
    }
  }
}

function assertList(option: string, list: unknown): void {
  if (!Array.isArray(list)) throw optionInvalid(option, 'a list', textOf(list));
}

function assertTag(option: string, tag: unknown): void {
  if (typeof tag === 'string' && TAG.test(tag)) return;
  throw optionInvalid(
    option,
    'a tag of up to 128 letters, digits, dots, dashes and underscores',
    textOf(tag),
  );
}

/** For a message; what is too long, or no text, is not repeated. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 300) : `a ${typeof value}`;
}

interface LayerRequestLike {
  readonly repository: string;
  readonly source: LayerSource;
  readonly digest?: Digest;
}
