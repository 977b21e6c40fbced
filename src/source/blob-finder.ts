/**
 * Finds an image's blobs among its files. They are looked for as soon as a manifest names them, so that
 * what is missing is known before anything is sent.
 */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { blobMissing } from '../image/image-errors.ts';
import type { Manifest } from '../image/manifest.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { FileRange } from '../layer/ports.ts';
import { fileSource } from './file-source.ts';
import { assertSize } from './image-files.ts';

/** Where a blob is, if there is one. @throws LongshoreError */
export type FindBlob = (descriptor: Descriptor) => Promise<FileRange | undefined>;

/** Files looked for at once. */
const SEARCHES_IN_FLIGHT = 32;

export class BlobFinder {
  readonly #label: string;
  readonly #find: FindBlob;
  readonly #known = new Map<Digest, FileRange | LongshoreError>();

  /** @param label the image source's */
  constructor(label: string, find: FindBlob) {
    this.#label = label;
    this.#find = find;
  }

  /** Looks for everything that a manifest names. What is wrong with it, {@link blob} tells. */
  async survey(manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { config, layers } = manifest;
    const named = new Map<Digest, Descriptor>();
    for (const blob of config === undefined ? layers : [config, ...layers]) {
      if (!this.#known.has(blob.digest)) named.set(blob.digest, blob);
    }
    const blobs = [...named.values()];
    for (let first = 0; first < blobs.length; first += SEARCHES_IN_FLIGHT) {
      signal.throwIfAborted();
      await Promise.all(
        blobs.slice(first, first + SEARCHES_IN_FLIGHT).map(async (blob) => {
          this.#known.set(blob.digest, await this.#located(blob));
        }),
      );
    }
  }

  /** @throws LongshoreError E_BLOB_MISSING, E_IMAGE_INVALID, ... if its manifest was surveyed */
  blob(descriptor: Descriptor): LayerSource {
    const known = this.#known.get(descriptor.digest);
    if (known !== undefined) return this.#source(descriptor, known);
    const { digest } = descriptor;
    return {
      label: `${this.#label}: ${digest}`,
      digest,
      open: async (signal) => {
        const found = await this.#located(descriptor);
        return this.#source(descriptor, found).open(signal);
      },
    };
  }

  async #located(descriptor: Descriptor): Promise<FileRange | LongshoreError> {
    try {
      return (await this.#find(descriptor)) ?? blobMissing(this.#label, descriptor.digest);
    } catch (error) {
      if (LongshoreError.is(error)) return error;
      throw error;
    }
  }

  #source(descriptor: Descriptor, found: FileRange | LongshoreError): LayerSource {
    if (LongshoreError.is(found)) throw found;
    assertSize(this.#label, descriptor, found);
    const { path, offsetBytes, sizeBytes, label } = found;
    const { digest } = descriptor;
    return fileSource(path, { digest, label, range: { offsetBytes, sizeBytes } });
  }
}
