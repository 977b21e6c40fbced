/** One repository: its settings, layers, images and tags. Rules that need them, no I/O. */

import type { Digest } from '../digest.ts';
import { IMAGES_PER_REPOSITORY_MAX, TAGS_PER_IMAGE_MAX } from './emulator-limits.ts';
import { EcrException, limitExceeded } from './exception.ts';
import type { Manifest } from './manifest.ts';

export type TagMutability =
  | 'MUTABLE'
  | 'IMMUTABLE'
  | 'IMMUTABLE_WITH_EXCLUSION'
  | 'MUTABLE_WITH_EXCLUSION';

export interface RepositorySettings {
  readonly repositoryName: string;
  readonly createdAtMs: number;
  readonly imageTagMutability: TagMutability;
  readonly imageTagMutabilityExclusionFilters?: readonly ExclusionFilter[];
  readonly scanOnPush: boolean;
  readonly encryptionConfiguration: {
    readonly encryptionType: string;
    readonly kmsKey?: string;
  };
}

export interface ExclusionFilter {
  readonly filterType: string;
  readonly filter: string;
}

export interface StoredLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly completedAtMs: number;
}

export interface StoredImage {
  readonly digest: Digest;
  /** The manifest, byte for byte as it was pushed. */
  readonly text: string;
  readonly manifest: Manifest;
  readonly pushedAtMs: number;
}

export class RepositoryState {
  readonly settings: RepositorySettings;
  readonly layers: Map<Digest, StoredLayer> = new Map();
  readonly images: Map<Digest, StoredImage> = new Map();
  readonly tags: Map<string, Digest> = new Map();
  /** Images that name a blob, by blob: a layer nobody names cannot be downloaded. */
  readonly #references: Map<Digest, number> = new Map();
  readonly #mediaTypes: Map<Digest, string> = new Map();
  #manifestsCharacters = 0;

  constructor(settings: RepositorySettings) {
    this.settings = settings;
  }

  get name(): string {
    return this.settings.repositoryName;
  }

  /** Characters of all manifests. */
  get manifestsCharacters(): number {
    return this.#manifestsCharacters;
  }

  /** Whether an image of this repository names the layer. */
  isReferenced(digest: Digest): boolean {
    return (this.#references.get(digest) ?? 0) > 0;
  }

  /** The media type under which an image names the layer. */
  mediaTypeOf(digest: Digest): string | undefined {
    return this.#mediaTypes.get(digest);
  }

  addImage(image: StoredImage): void {
    if (this.images.has(image.digest)) return;
    this.images.set(image.digest, image);
    this.#manifestsCharacters += image.text.length;
    for (const { digest, mediaType } of image.manifest.blobs) {
      this.#references.set(digest, (this.#references.get(digest) ?? 0) + 1);
      if (mediaType !== undefined) this.#mediaTypes.set(digest, mediaType);
    }
  }

  removeImage(digest: Digest): void {
    const image = this.images.get(digest);
    if (image === undefined) return;
    this.images.delete(digest);
    this.#manifestsCharacters -= image.text.length;
    for (const blob of image.manifest.blobs) {
      this.#references.set(blob.digest, (this.#references.get(blob.digest) ?? 1) - 1);
    }
  }

  tagsOf(digest: Digest): string[] {
    return [...this.tags].filter(([, target]) => target === digest).map(([tag]) => tag);
  }

  /** The index that still needs this image, if one does. */
  parentOf(digest: Digest): Digest | undefined {
    for (const image of this.images.values()) {
      if (image.manifest.children.some((child) => child.digest === digest)) return image.digest;
    }
    return undefined;
  }

  /** Why ECR would refuse this image, the manifest itself being sound. */
  refusalOfImage(
    image: { readonly digest: Digest; readonly manifest: Manifest; readonly tag?: string },
    registryId: string,
    visibleBeforeMs: number,
  ): EcrException | undefined {
    return (
      this.#missingLayers(image.manifest, registryId, visibleBeforeMs) ??
      this.#missingChildren(image.manifest, registryId) ??
      this.#conflict(image.digest, image.tag, registryId) ??
      this.#excess(image.digest, image.tag)
    );
  }

  #excess(digest: Digest, tag: string | undefined): EcrException | undefined {
    if (!this.images.has(digest) && this.images.size >= IMAGES_PER_REPOSITORY_MAX) {
      return limitExceeded(
        `The limit of ${IMAGES_PER_REPOSITORY_MAX} images per repository is exceeded`,
      );
    }
    const isNew = tag !== undefined && this.tags.get(tag) !== digest;
    if (!isNew || this.tagsOf(digest).length < TAGS_PER_IMAGE_MAX) return undefined;
    return limitExceeded(`The limit of ${TAGS_PER_IMAGE_MAX} tags per image is exceeded`);
  }

  #missingLayers(
    manifest: Manifest,
    registryId: string,
    visibleBeforeMs: number,
  ): EcrException | undefined {
    const needed = manifest.blobs.filter(({ isForeign }) => !isForeign);
    const digests = new Set(needed.map(({ digest }) => digest));
    const missing = [...digests].filter((digest) => {
      const layer = this.layers.get(digest);
      return layer === undefined || layer.completedAtMs > visibleBeforeMs;
    });
    if (missing.length === 0) return undefined;
    return new EcrException(
      'LayersNotFoundException',
      `Layers with digests '[${missing.join(', ')}]' required for pushing image into repository ` +
        `with name '${this.name}' in the registry with id '${registryId}' do not exist`,
    );
  }

  #missingChildren(manifest: Manifest, registryId: string): EcrException | undefined {
    const missing = manifest.children.filter(({ digest }) => !this.images.has(digest));
    if (missing.length === 0) return undefined;
    const digests = missing.map(({ digest }) => digest).join(', ');
    return new EcrException(
      'ReferencedImagesNotFoundException',
      `Images with digests '[${digests}]' required for pushing image into repository with name ` +
        `'${this.name}' in the registry with id '${registryId}' do not exist`,
    );
  }

  #conflict(digest: Digest, tag: string | undefined, registryId: string): EcrException | undefined {
    const tagged = tag === undefined ? undefined : this.tags.get(tag);
    if (this.images.has(digest) && (tag === undefined || tagged === digest)) {
      const named = tag === undefined ? '' : `and tag '${tag}' `;
      return new EcrException(
        'ImageAlreadyExistsException',
        `Image with digest '${digest}' ${named}already exists in the repository with name ` +
          `'${this.name}' in registry with id '${registryId}'`,
      );
    }
    if (tag === undefined || tagged === undefined || !this.isImmutable(tag)) return undefined;
    return new EcrException(
      'ImageTagAlreadyExistsException',
      `The image tag '${tag}' already exists in the '${this.name}' repository and cannot be ` +
        'overwritten because the repository is immutable.',
    );
  }

  /** Whether a tag, once given, stays where it is. */
  isImmutable(tag: string): boolean {
    const { imageTagMutability, imageTagMutabilityExclusionFilters } = this.settings;
    const excluded = (imageTagMutabilityExclusionFilters ?? []).some(({ filter }) =>
      matchesWildcard(tag, filter),
    );
    switch (imageTagMutability) {
      case 'MUTABLE':
        return false;
      case 'IMMUTABLE':
        return true;
      case 'IMMUTABLE_WITH_EXCLUSION':
        return !excluded;
      case 'MUTABLE_WITH_EXCLUSION':
        return excluded;
    }
  }
}

/** A pattern with many asterisks would keep a regular expression busy for ever. */
function matchesWildcard(tag: string, filter: string): boolean {
  const [start = '', ...others] = filter.split('*');
  const end = others.pop();
  if (end === undefined) return tag === filter;
  if (!tag.startsWith(start)) return false;
  let position = start.length;
  for (const piece of others) {
    const found = tag.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return tag.length - end.length >= position && tag.endsWith(end);
}
