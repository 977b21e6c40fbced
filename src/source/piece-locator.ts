/** Finds the pieces of an image where their owner says that they are. */

import { stat } from 'node:fs/promises';
import type { Digest } from '../digest.ts';
import { systemCodeOf } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { blobMissing, imageInvalid } from '../image/image-errors.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { FileRange } from '../layer/ports.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import type { ImagePieces } from './image-pieces.ts';

export class PieceLocator {
  readonly #label: string;
  readonly #blobs: ImagePieces['blobs'];
  readonly #asked = new Map<Digest, LayerSource | string | undefined>();

  constructor(label: string, blobs: ImagePieces['blobs']) {
    this.#label = label;
    this.#blobs = blobs;
  }

  /** The blob as a file; `undefined` where it is none. @throws LongshoreError E_BLOB_MISSING, ... */
  async file(descriptor: Descriptor): Promise<FileRange | undefined> {
    const place = this.#place(descriptor);
    if (typeof place !== 'string') return undefined;
    try {
      return await wholeFile(place);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw sourceUnreadable(place, error);
      throw blobMissing(this.#label, descriptor.digest, error);
    }
  }

  /** The blob as its owner's own source, if it is one. @throws LongshoreError E_IMAGE_INVALID */
  source(descriptor: Descriptor): LayerSource | undefined {
    const place = this.#place(descriptor);
    if (place === undefined || typeof place === 'string') return undefined;
    const { digest } = descriptor;
    if (place.digest === undefined || place.digest === digest) {
      return { label: place.label, digest, open: (signal) => place.open(signal) };
    }
    const problem = `its source ${place.label} is of another digest, ${place.digest}`;
    throw imageInvalid(this.#label, `blob ${digest}`, problem);
  }

  #place(descriptor: Descriptor): LayerSource | string | undefined {
    const { digest } = descriptor;
    if (typeof this.#blobs !== 'function') {
      return Object.hasOwn(this.#blobs, digest) ? this.#blobs[digest] : undefined;
    }
    if (!this.#asked.has(digest)) this.#asked.set(digest, this.#ask(this.#blobs, descriptor));
    return this.#asked.get(digest);
  }

  #ask(
    blobs: Exclude<ImagePieces['blobs'], Readonly<Record<string, string>>>,
    descriptor: Descriptor,
  ): LayerSource | string | undefined {
    const name = `${this.#label}: ${descriptor.digest}`;
    let place: unknown;
    try {
      place = blobs(descriptor);
    } catch (error) {
      throw sourceUnreadable(name, error);
    }
    if (place === undefined || isPlace(place)) return place;
    throw sourceUnreadable(name, new TypeError('blobs() gave neither a path nor a LayerSource'));
  }
}

/** @throws whatever the system says; LongshoreError E_SOURCE_UNREADABLE */
export async function wholeFile(path: string): Promise<FileRange> {
  const found = await stat(path);
  if (!found.isFile()) throw sourceUnreadable(path, new Error('it is not a regular file'));
  return { path, offsetBytes: 0, sizeBytes: found.size, label: path };
}

function isPlace(value: unknown): value is LayerSource | string {
  if (typeof value === 'string') return value !== '';
  return typeof value === 'object' && value !== null && 'open' in value && 'label' in value;
}
