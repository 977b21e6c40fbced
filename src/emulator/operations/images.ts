/** Operations that change images. */

import { createHash } from 'node:crypto';
import { digestFromHex, isDigest } from '../../digest.ts';
import type { Digest } from '../../digest.ts';
import { EcrException, invalidParameter } from '../exception.ts';
import { failureOf, resolveImage, TAG } from '../image-reference.ts';
import type { ImageReference } from '../image-reference.ts';
import { parseManifest } from '../manifest.ts';
import { operation } from '../operation.ts';
import type { OperationContext, OperationHandler, OperationOutput } from '../operation.ts';
import type { RepositoryReference } from '../registry-state.ts';
import type { RepositoryState } from '../repository-state.ts';

interface PutInput extends RepositoryReference {
  readonly imageManifest: string;
  readonly imageManifestMediaType?: string;
  readonly imageTag?: string;
  readonly imageDigest?: string;
}

export const putImage: OperationHandler = operation<PutInput>(async (input, context) => {
  const { imageManifest: text, imageTag } = input;
  const { name } = context.registry.repository(input);
  if (imageTag !== undefined && !TAG.test(imageTag)) {
    throw invalidParameter('imageTag', `must satisfy regular expression '${TAG.source}'`);
  }
  const manifest = parseManifest(text, input.imageManifestMediaType);
  const digest = digestFromHex(createHash('sha256').update(text).digest('hex'));
  assertDigest(input.imageDigest, digest);
  return context.registry.lock.run(`repository:${name}`, async () => {
    const repository = context.registry.repository(input);
    const { registryId, store } = context.registry;
    const nowMs = context.now();
    const refusal = repository.refusalOfImage(
      { digest, manifest, ...(imageTag === undefined ? {} : { tag: imageTag }) },
      registryId,
      nowMs - context.options.putImageLagMs,
    );
    if (refusal !== undefined) throw refusal;
    const { mediaType } = manifest;
    if (!repository.images.has(digest)) {
      context.registry.assertRoomFor(text);
      await store.saveImage(name, { digest, text, mediaType, pushedAtMs: nowMs });
      repository.addImage({ digest, text, manifest, pushedAtMs: nowMs });
    }
    if (imageTag !== undefined) {
      await store.saveTag(name, imageTag, digest);
      repository.tags.set(imageTag, digest);
    }
    const image = {
      registryId,
      repositoryName: name,
      imageId: { imageDigest: digest, imageTag },
      imageManifest: text,
      imageManifestMediaType: mediaType,
    };
    return { image };
  });
});

export const batchDeleteImage: OperationHandler = operation<
  RepositoryReference & { readonly imageIds: readonly ImageReference[] }
>(async (input, context) => {
  const { name } = context.registry.repository(input);
  return context.registry.lock.run(`repository:${name}`, async () => {
    const repository = context.registry.repository(input);
    const imageIds: OperationOutput[] = [];
    const failures: OperationOutput[] = [];
    for (const reference of input.imageIds) {
      const found = resolveImage(repository, reference);
      if (typeof found === 'string') {
        failures.push(failureOf(reference, found));
      } else if (reference.imageTag !== undefined) {
        imageIds.push(await removeTag(repository, reference.imageTag, found.digest, context));
      } else if (repository.parentOf(found.digest) === undefined) {
        imageIds.push(...(await removeImage(repository, found.digest, context)));
      } else {
        failures.push(failureOf(reference, 'ImageReferencedByManifestList'));
      }
    }
    return { imageIds, failures };
  });
});

function assertDigest(given: string | undefined, computed: Digest): void {
  if (given === undefined || given === computed) return;
  if (!isDigest(given)) {
    throw invalidParameter('imageDigest', "must satisfy regular expression 'sha256:[0-9a-f]{64}'");
  }
  throw new EcrException(
    'ImageDigestDoesNotMatchException',
    `Image digest '${computed}' does not match the given digest '${given}'`,
  );
}

// The last tag takes the image with it, as ECR documents for BatchDeleteImage (H).
async function removeTag(
  repository: RepositoryState,
  tag: string,
  digest: Digest,
  context: OperationContext,
): Promise<OperationOutput> {
  await context.registry.store.deleteTag(repository.name, tag);
  repository.tags.delete(tag);
  const isLast = repository.tagsOf(digest).length === 0;
  if (isLast && repository.parentOf(digest) === undefined) {
    await removeImage(repository, digest, context);
  }
  return { imageDigest: digest, imageTag: tag };
}

async function removeImage(
  repository: RepositoryState,
  digest: Digest,
  context: OperationContext,
): Promise<OperationOutput[]> {
  const tags = repository.tagsOf(digest);
  for (const tag of tags) {
    await context.registry.store.deleteTag(repository.name, tag);
    repository.tags.delete(tag);
  }
  await context.registry.store.deleteImage(repository.name, digest);
  repository.removeImage(digest);
  if (tags.length === 0) return [{ imageDigest: digest }];
  return tags.map((imageTag) => ({ imageDigest: digest, imageTag }));
}
