/** Reads manifests out of an image's files, and believes only their digests. */

import { LongshoreError } from '../errors.ts';
import type { Descriptor, Platform } from '../image/descriptor.ts';
import { blobMissing, manifestMismatch } from '../image/image-errors.ts';
import { digestOf, type Manifest, manifestTooLarge, readManifest } from '../image/manifest.ts';
import { isImageType, isIndexType } from '../image/media-type.ts';
import { MANIFEST_SIZE_MAX_BYTES, MIB } from '../limits.ts';
import type { FindBlob } from './blob-finder.ts';
import { isImageConfig, platformOfConfig } from './config-platform.ts';
import { assertSize, readRange } from './image-files.ts';

/** Larger configs are not looked into for their platform. */
const CONFIG_BYTES_MAX = 8 * MIB;

export class ManifestReader {
  readonly label: string;
  readonly #find: FindBlob;

  /** @param label the image source's */
  constructor(label: string, find: FindBlob) {
    this.label = label;
    this.#find = find;
  }

  /** As it is in the file. @throws LongshoreError E_BLOB_MISSING, E_IMAGE_UNSUPPORTED where too large */
  async bytes(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const found = await this.#find(descriptor);
    if (found === undefined) throw blobMissing(this.label, descriptor.digest);
    if (found.sizeBytes > MANIFEST_SIZE_MAX_BYTES) {
      throw manifestTooLarge(this.label, found.sizeBytes);
    }
    assertSize(this.label, descriptor, found);
    return readRange(found, signal);
  }

  /** @throws LongshoreError E_BLOB_MISSING, E_DIGEST_MISMATCH, E_IMAGE_INVALID, E_IMAGE_UNSUPPORTED */
  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<Manifest> {
    const { digest, mediaType } = descriptor;
    const bytes = await this.bytes(descriptor, signal);
    const actual = digestOf(bytes);
    if (actual === digest) return readManifest(bytes, { source: this.label, mediaType });
    throw manifestMismatch(this.label, digest, actual);
  }

  /** `undefined` for what is not there, or is nothing that ECR takes: indexes may name such things. */
  async manifestIfAny(descriptor: Descriptor, signal: AbortSignal): Promise<Manifest | undefined> {
    const { mediaType } = descriptor;
    if (!isImageType(mediaType) && !isIndexType(mediaType)) return undefined;
    try {
      return await this.manifest(descriptor, signal);
    } catch (error) {
      if (LongshoreError.is(error, 'E_BLOB_MISSING')) return undefined;
      if (LongshoreError.is(error, 'E_IMAGE_UNSUPPORTED')) return undefined;
      throw error;
    }
  }

  /** What a single image says of itself in its config. */
  async platformOf({ config }: Manifest, signal: AbortSignal): Promise<Platform | undefined> {
    if (config === undefined || !isImageConfig(config.mediaType)) return undefined;
    const found = await this.#find(config);
    if (found === undefined || found.sizeBytes > CONFIG_BYTES_MAX) return undefined;
    return platformOfConfig(await readRange(found, signal));
  }
}
