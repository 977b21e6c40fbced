/** What the image room needs of ECR; `src/ecr` provides it. Every method rejects with RegistryFault. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from './descriptor.ts';

/** A tag or a digest. */
export type ImageReference = { readonly tag: string } | { readonly digest: Digest };

/** An image in a repository, found by a reference. */
export interface StoredImage {
  readonly digest: Digest;
  /** Of a reference by tag. */
  readonly tag: string | undefined;
  readonly mediaType: string | undefined;
  /** The manifest as it was put. */
  readonly text: string;
}

/** An image to put. */
export interface ImagePut {
  readonly text: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly tag: string | undefined;
}

export interface ImageRegistry {
  /** Those of at most 100 references that there are, in one call. */
  getImages(
    repository: string,
    references: readonly ImageReference[],
    signal: AbortSignal,
  ): Promise<readonly StoredImage[]>;
  /** Those of at most 100 layers that the repository has, with their sizes if it tells, in one call. */
  availableLayers(
    repository: string,
    digests: readonly Digest[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Digest, number | undefined>>;
  /** @throws RegistryFault of kind layers-missing, children-missing, tag-immutable among others */
  putImage(
    repository: string,
    image: ImagePut,
    signal: AbortSignal,
  ): Promise<'put' | 'already-present'>;
  /** Those of the tags that the repository does not let be moved once they exist. */
  immutableTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Manifests whose subject is this one, all pages. */
  referrers(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]>;
  /** Resolves with false if somebody else had created it meanwhile. */
  createRepository(repository: string, signal: AbortSignal): Promise<boolean>;
  /** A URL, good for a while, that gives a layer's bytes without further credentials. */
  downloadUrl(repository: string, digest: Digest, signal: AbortSignal): Promise<string>;
}
