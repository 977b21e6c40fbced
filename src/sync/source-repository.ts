/** A repository that images are read from: of a registry, or an OCI layout. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { ImageSource } from '../image/image-source.ts';
import type { LayerSource } from '../layer/layer-source.ts';

/** Finds source repositories and counts what is read. One for a whole sync; closed with it. */
export interface SourceRepositories {
  /**
   * Those that a mapping's `from` names; asks the registry where it has wildcards.
   * @throws LongshoreError E_SOURCE_REGISTRY, E_SOURCE_DENIED, E_SOURCE_UNREADABLE, ...
   */
  expand(from: string, signal: AbortSignal): AsyncIterable<SourceRepository>;
  /** One `SourceRepository` by the name that it had: for plans that are carried out later. */
  named(source: string): SourceRepository;
  /** What was read so far, by registry. */
  usage(): readonly SourceUsage[];
  close(): Promise<void>;
}

export interface SourceUsage {
  readonly registry: string;
  readonly requestCount: number;
  readonly blobBytes: number;
  readonly duplicateBlobBytes: number;
  readonly pausedMs: number;
}

export interface SourceRepository {
  /** `docker.io/library/nginx`, `oci:./images`: the name in plans and reports. */
  readonly name: string;
  /** `docker.io`; for a layout the empty text. */
  readonly registry: string;
  /** `library/nginx`; for a layout the folder's name. */
  readonly repository: string;
  /** All tags, page by page. */
  tags(signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** What a tag points to, by HEAD where that is enough; `undefined` if there is no such tag. */
  resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined>;
  /**
   * An image by its digest. All images of a registry share connections, logins and limits.
   * @param tag for messages, and to find the image again if it is gone under its digest
   */
  image(digest: Digest, tag: string): ImageSource;
  /** One blob, for reads that several targets share; none where reading twice costs nothing. */
  blob(descriptor: Pick<Descriptor, 'digest' | 'sizeBytes' | 'mediaType'>): LayerSource | undefined;
}
