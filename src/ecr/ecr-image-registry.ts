/** ECR behind the image room's port: one call each, no retries, faults as data. */

import type { Image, ImageFailure, ImageReferrer, Repository } from '@aws-sdk/client-ecr';
import { type Digest, isDigest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { LongshoreError } from '../errors.ts';
import type {
  ImagePut,
  ImageReference,
  ImageRegistry,
  StoredImage,
} from '../image/image-registry.ts';
import { MANIFEST_TYPES } from '../image/media-type.ts';
import { RegistryFault } from '../layer/ports.ts';
import type { CallContext } from './call-context.ts';
import { type CallTally, type Ecr, type EcrCaller, wrongReply } from './ecr-caller.ts';
import type { EcrRegistry } from './ecr-registry.ts';

/** Pages of referrers of one image, 50 each (model, H). */
const REFERRER_PAGES_MAX = 200;

export class EcrImageRegistry implements ImageRegistry {
  readonly #caller: EcrCaller;
  readonly #layers: EcrRegistry;
  readonly #tally: CallTally;

  /**
   * @param layers creates repositories
   * @param tally where calls are counted
   */
  constructor(caller: EcrCaller, layers: EcrRegistry, tally: CallTally) {
    this.#caller = caller;
    this.#layers = layers;
    this.#tally = tally;
  }

  async getImages(
    repository: string,
    references: readonly ImageReference[],
    signal: AbortSignal,
  ): Promise<readonly StoredImage[]> {
    const context = { operation: 'BatchGetImage', repository };
    const reply = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.BatchGetImageCommand({
          ...this.#caller.registry,
          repositoryName: repository,
          imageIds: references.map((reference) =>
            'tag' in reference ? { imageTag: reference.tag } : { imageDigest: reference.digest },
          ),
          // The model's text leaves indexes out; they are given all the same (AWS's own resolver, H).
          acceptedMediaTypes: [...MANIFEST_TYPES],
        }),
        { abortSignal: signal },
      ),
    );
    const failure = reply.failures?.find(({ failureCode }) => failureCode !== 'ImageNotFound');
    if (failure !== undefined) {
      throw imageInaccessible(context, failure);
    }
    return (reply.images ?? []).map((image) => storedImage(context, image));
  }

  async availableLayers(
    repository: string,
    digests: readonly Digest[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Digest, number | undefined>> {
    const context = { operation: 'BatchCheckLayerAvailability', repository };
    const reply = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.BatchCheckLayerAvailabilityCommand({
          ...this.#caller.registry,
          repositoryName: repository,
          layerDigests: [...digests],
        }),
        { abortSignal: signal },
      ),
    );
    // Absent layers are listed as unavailable (M-H), or as failures; what is not listed is absent too.
    return new Map(
      (reply.layers ?? [])
        .filter(({ layerAvailability }) => layerAvailability === 'AVAILABLE')
        .flatMap(({ layerDigest, layerSize }) =>
          isDigest(layerDigest) ? [[layerDigest, layerSize] as const] : [],
        ),
    );
  }

  async putImage(
    repository: string,
    { text, mediaType, digest, tag }: ImagePut,
    signal: AbortSignal,
  ): Promise<'put' | 'already-present'> {
    const context = { operation: 'PutImage', repository, digest };
    try {
      const { image } = await this.#call(context, signal, ({ client, sdk }) =>
        client.send(
          new sdk.PutImageCommand({
            ...this.#caller.registry,
            repositoryName: repository,
            imageManifest: text,
            imageManifestMediaType: mediaType,
            imageDigest: digest,
            ...(tag !== undefined && { imageTag: tag }),
          }),
          { abortSignal: signal },
        ),
      );
      const stored = image?.imageId?.imageDigest;
      if (stored !== digest) throw wrongReply(context, digest, String(stored));
      return 'put';
    } catch (error) {
      // Same manifest and same tag (H): what was wanted is so.
      if (error instanceof RegistryFault && error.kind === 'already-exists') {
        return 'already-present';
      }
      throw error;
    }
  }

  async immutableTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const context = { operation: 'DescribeRepositories', repository };
    const { repositories } = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.DescribeRepositoriesCommand({
          ...this.#caller.registry,
          repositoryNames: [repository],
        }),
        { abortSignal: signal },
      ),
    );
    const found = repositories?.[0];
    return found === undefined ? [] : tags.filter((tag) => isImmutable(found, tag));
  }

  async referrers(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const context = { operation: 'ListImageReferrers', repository, digest };
    const found: Descriptor[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < REFERRER_PAGES_MAX; page += 1) {
      const reply = await this.#call(context, signal, ({ client, sdk }) =>
        client.send(
          new sdk.ListImageReferrersCommand({
            ...this.#caller.registry,
            repositoryName: repository,
            subjectId: { imageDigest: digest },
            nextToken,
          }),
          { abortSignal: signal },
        ),
      );
      for (const referrer of reply.referrers ?? []) {
        if (isDigest(referrer.digest)) found.push(referrerOf(referrer, referrer.digest));
      }
      ({ nextToken } = reply);
      if (nextToken === undefined) return found;
    }
    throw wrongReply(context, `at most ${REFERRER_PAGES_MAX} pages`, 'more');
  }

  createRepository(repository: string, signal: AbortSignal): Promise<boolean> {
    return this.#layers.createRepository(repository, signal);
  }

  async downloadUrl(repository: string, digest: Digest, signal: AbortSignal): Promise<string> {
    const context = { operation: 'GetDownloadUrlForLayer', repository, digest };
    const { downloadUrl } = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.GetDownloadUrlForLayerCommand({
          ...this.#caller.registry,
          repositoryName: repository,
          layerDigest: digest,
        }),
        { abortSignal: signal },
      ),
    );
    if (downloadUrl === undefined || !URL.canParse(downloadUrl)) {
      // Not what it was: the URL is a bearer of rights.
      throw wrongReply(context, 'a URL', 'something else');
    }
    return downloadUrl;
  }

  #call<T>(context: CallContext, signal: AbortSignal, send: (ecr: Ecr) => Promise<T>): Promise<T> {
    return this.#caller.call(context, this.#tally, signal, send);
  }
}

/** The image is there, or might be, but ECR cannot give it: its key, or its upstream registry. */
function imageInaccessible(context: CallContext, failure: ImageFailure): RegistryFault {
  const { failureCode = 'a failure', failureReason = '' } = failure;
  const { operation, repository } = context;
  const isKey = failureCode === 'KmsError';
  const remedy = isKey
    ? "check that the repository's KMS key is enabled and that you may use it"
    : 'look at the image in the ECR console';
  const message = `${operation} failed for repository ${repository}: ${failureCode}: ${failureReason}; ${remedy}`;
  const details = { operation, repository, exception: failureCode };
  return new RegistryFault(
    'final',
    new LongshoreError(isKey ? 'E_KMS' : 'E_REQUEST_INVALID', message, details),
  );
}

function referrerOf(referrer: ImageReferrer, digest: Digest): Descriptor {
  const { mediaType = '', size = 0, artifactType } = referrer;
  return {
    mediaType,
    digest,
    sizeBytes: size,
    ...(artifactType !== undefined && { artifactType }),
  };
}

function storedImage(context: CallContext, image: Image): StoredImage {
  const digest = image.imageId?.imageDigest;
  if (!isDigest(digest)) throw wrongReply(context, "an image's digest", String(digest));
  return {
    digest,
    tag: image.imageId?.imageTag,
    mediaType: image.imageManifestMediaType,
    text: image.imageManifest ?? '',
  };
}

/** Tags that match a filter are excluded from the repository's rule (model, H). */
function isImmutable(repository: Repository, tag: string): boolean {
  const { imageTagMutability: rule, imageTagMutabilityExclusionFilters: filters } = repository;
  const excluded = (filters ?? []).some(({ filter }) => matchesWildcard(filter ?? '', tag));
  if (rule === 'IMMUTABLE_WITH_EXCLUSION') return !excluded;
  if (rule === 'MUTABLE_WITH_EXCLUSION') return excluded;
  return rule === 'IMMUTABLE';
}

/** `*` stands for any characters, none included. */
function matchesWildcard(filter: string, tag: string): boolean {
  const pieces = filter.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return filter === tag;
  if (!tag.startsWith(first) || !tag.endsWith(last)) return false;
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = tag.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return position <= tag.length - last.length;
}
