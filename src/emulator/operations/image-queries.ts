/** Operations that ask for images. */

import { EcrException, invalidParameter } from '../exception.ts';
import { failureOf, resolveImage } from '../image-reference.ts';
import type { ImageReference } from '../image-reference.ts';
import { operation, timestamp } from '../operation.ts';
import type { OperationHandler, OperationOutput } from '../operation.ts';
import { pageOf } from '../page.ts';
import type { RepositoryReference } from '../registry-state.ts';
import type { RepositoryState, StoredImage } from '../repository-state.ts';

export const batchGetImage: OperationHandler = operation<
  RepositoryReference & { readonly imageIds: readonly ImageReference[] }
>((input, { registry }) => {
  const repository = registry.repository(input);
  const images: OperationOutput[] = [];
  const failures: OperationOutput[] = [];
  for (const reference of input.imageIds) {
    const found = resolveImage(repository, reference);
    if (typeof found === 'string') {
      failures.push(failureOf(reference, found));
      continue;
    }
    images.push({
      registryId: registry.registryId,
      repositoryName: repository.name,
      imageId: { imageDigest: found.digest, imageTag: reference.imageTag },
      imageManifest: found.text,
      imageManifestMediaType: found.manifest.mediaType,
    });
  }
  return { images, failures };
});

interface ListInput extends RepositoryReference {
  readonly nextToken?: string;
  readonly maxResults?: number;
  readonly filter?: {
    readonly tagStatus?: 'TAGGED' | 'UNTAGGED' | 'ANY';
    readonly imageStatus?: string;
  };
}

export const describeImages: OperationHandler = operation<
  ListInput & { readonly imageIds?: readonly ImageReference[] }
>((input, { registry }) => {
  const repository = registry.repository(input);
  const { registryId } = registry;
  if (input.imageIds !== undefined) {
    if (input.nextToken !== undefined || input.maxResults !== undefined) {
      throw invalidParameter('imageIds', 'must not be combined with pages');
    }
    const named = input.imageIds.map((reference) =>
      requireImage(repository, reference, registryId),
    );
    return { imageDetails: named.map((image) => describe(repository, image, registryId)) };
  }
  const images = [...repository.images.values()]
    .filter(({ digest }) => isWanted(repository.tagsOf(digest).length > 0, input))
    .toSorted((left, right) => (left.digest < right.digest ? -1 : 1));
  const page = pageOf(images, ({ digest }) => digest, input);
  return {
    imageDetails: page.items.map((image) => describe(repository, image, registryId)),
    nextToken: page.nextToken,
  };
});

export const listImages: OperationHandler = operation<ListInput>((input, { registry }) => {
  const repository = registry.repository(input);
  const tagged = new Set(repository.tags.values());
  const all: ImageReference[] = [];
  for (const [imageTag, imageDigest] of repository.tags) all.push({ imageDigest, imageTag });
  for (const imageDigest of repository.images.keys()) {
    if (!tagged.has(imageDigest)) all.push({ imageDigest });
  }
  const sorted = all
    .filter(({ imageTag }) => isWanted(imageTag !== undefined, input))
    .toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const page = pageOf(sorted, keyOf, input);
  return { imageIds: page.items, nextToken: page.nextToken };
});

function keyOf({ imageDigest = '', imageTag = '' }: ImageReference): string {
  return `${imageDigest} ${imageTag}`;
}

function isWanted(isTagged: boolean, { filter }: ListInput): boolean {
  // No image of the emulator is ever archived.
  if (filter?.imageStatus === 'ARCHIVED' || filter?.imageStatus === 'ACTIVATING') return false;
  const status = filter?.tagStatus ?? 'ANY';
  return status === 'ANY' || (status === 'TAGGED') === isTagged;
}

function requireImage(
  repository: RepositoryState,
  reference: ImageReference,
  registryId: string,
): StoredImage {
  const found = resolveImage(repository, reference);
  if (typeof found !== 'string') return found;
  if (found === 'MissingDigestAndTag' || found === 'InvalidImageDigest') {
    throw invalidParameter('imageIds', failureOf(reference, found)['failureReason'] as string);
  }
  const { imageDigest = 'null', imageTag = 'null' } = reference;
  throw new EcrException(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist ` +
      `within the repository with name '${repository.name}' in the registry with id '${registryId}'`,
  );
}

function describe(
  repository: RepositoryState,
  { digest, manifest, pushedAtMs }: StoredImage,
  registryId: string,
): OperationOutput {
  const tags = repository.tagsOf(digest);
  const parts = [...manifest.blobs.slice(1), ...manifest.children];
  return {
    registryId,
    repositoryName: repository.name,
    imageDigest: digest,
    imageTags: tags.length === 0 ? undefined : tags,
    imageSizeInBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    imagePushedAt: timestamp(pushedAtMs),
    imageManifestMediaType: manifest.mediaType,
    artifactMediaType: manifest.artifactType ?? manifest.blobs[0]?.mediaType,
    subjectManifestDigest: manifest.subjectDigest,
    imageStatus: 'ACTIVE',
  };
}
