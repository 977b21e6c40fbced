/** What a manifest says and whether ECR would take it. No I/O, no repository. */

import { LAYERS_PER_IMAGE_MAX } from '../limits.ts';
import { isDigest } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { invalidParameter } from './exception.ts';

const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
]);
const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
]);
/** RFC 6838 names without parameters: ECR refuses `type; version=1` (containers-roadmap#2306, M). */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$/;

/** Layers that may stay where their URLs say, as those of Windows base images do. */
const FOREIGN_LAYER_TYPE =
  /^application\/vnd\.(docker\.image\.rootfs\.foreign\.diff\.tar|oci\.image\.layer\.nondistributable\.v1\.tar)([.+](gzip|zstd))?$/;

export interface Descriptor {
  readonly mediaType: string | undefined;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** A foreign layer with URLs: it need not be in the repository (L; registries agree on it). */
  readonly isForeign: boolean;
}

export interface Manifest {
  readonly mediaType: string;
  /** The config and the layers of an image; none for an index. */
  readonly blobs: readonly Descriptor[];
  /** The manifests of an index; none for an image. */
  readonly children: readonly Descriptor[];
  readonly artifactType: string | undefined;
  readonly subjectDigest: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a manifest as `PutImage` does.
 *
 * @param mediaTypeGiven - The request's `imageManifestMediaType`.
 * @throws EcrException `InvalidParameterException` (texts of aws-sdk#193 and tart#890; the others
 * are ours).
 */
export function parseManifest(text: string, mediaTypeGiven?: string): Manifest {
  const document = parseDocument(text);
  const mediaType = mediaTypeOf(document, mediaTypeGiven);
  if (document['schemaVersion'] !== 2) throw refusal('schemaVersion must be 2');
  const artifactType = optionalMediaType(document, 'artifactType');
  const subject = document['subject'];
  const subjectDigest = subject === undefined ? undefined : descriptorOf(subject, 'subject').digest;
  const common = {
    mediaType,
    artifactType,
    subjectDigest,
    annotations: textMembersOf(document['annotations']),
  };
  if (INDEX_TYPES.has(mediaType)) {
    return { ...common, blobs: [], children: descriptorsOf(document, 'manifests') };
  }
  const layers = descriptorsOf(document, 'layers');
  if (layers.length > LAYERS_PER_IMAGE_MAX) {
    throw refusal('Limit on number of layers per image exceeded');
  }
  // An image without layers is refused at the docker door (containers-roadmap#876, M).
  if (layers.length === 0) throw refusal('An image must have at least one layer');
  const config = descriptorOf(document['config'], 'config');
  return { ...common, blobs: [config, ...layers], children: [] };
}

function parseDocument(text: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw refusal('Invalid JSON syntax');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw refusal('Invalid JSON syntax');
  }
  return document as Readonly<Record<string, unknown>>;
}

function mediaTypeOf(
  document: Readonly<Record<string, unknown>>,
  given: string | undefined,
): string {
  const own = document['mediaType'];
  if (own !== undefined && typeof own !== 'string') throw refusal('mediaType must be a string');
  if (own !== undefined && given !== undefined && own !== given) {
    throw invalidParameter(
      'imageManifestMediaType',
      'must be the same as the mediaType of the image manifest',
    );
  }
  const mediaType = own ?? given;
  if (mediaType === undefined) throw refusal('Manifest media type must be given');
  if (!IMAGE_TYPES.has(mediaType) && !INDEX_TYPES.has(mediaType)) {
    throw refusal(`Unsupported manifest media type ${mediaType.slice(0, 100)}`);
  }
  return mediaType;
}

function descriptorsOf(
  document: Readonly<Record<string, unknown>>,
  member: string,
): readonly Descriptor[] {
  const list = document[member];
  if (!Array.isArray(list)) throw refusal(`${member} must be a list`);
  return list.map((item: unknown, index) => descriptorOf(item, `${member}[${index}]`));
}

function descriptorOf(value: unknown, path: string): Descriptor {
  if (typeof value !== 'object' || value === null) throw refusal(`${path} must be a descriptor`);
  const members = value as Readonly<Record<string, unknown>>;
  const { digest, size, urls } = members;
  if (!isDigest(digest)) throw refusal(`${path}.digest must be a sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw refusal(`${path}.size must be a size in bytes`);
  }
  const mediaType = optionalMediaType(members, 'mediaType');
  const isForeign =
    FOREIGN_LAYER_TYPE.test(mediaType ?? '') && Array.isArray(urls) && urls.length > 0;
  return { mediaType, digest, sizeBytes: size, isForeign };
}

function optionalMediaType(
  members: Readonly<Record<string, unknown>>,
  member: string,
): string | undefined {
  const value = members[member];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !MEDIA_TYPE.test(value)) {
    throw refusal(`${member} must be a media type without parameters`);
  }
  return value;
}

function textMembersOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const texts = Object.entries(value).filter(([, text]) => typeof text === 'string');
  return Object.fromEntries(texts) as Readonly<Record<string, string>>;
}

function refusal(constraint: string): Error {
  return invalidParameter('ImageManifest', constraint);
}
