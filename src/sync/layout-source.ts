/** A folder with an OCI layout, as a repository: its images by the names that the layout has for them. */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import type { ImageSource } from '../image/image-source.ts';
import { openFolder } from '../source/folder-files.ts';
import { readLayoutIndex } from '../source/layout-index.ts';
import { ociLayoutImage } from '../source/oci-layout-image.ts';
import type { SourceRepository } from './source-repository.ts';

const TAG = /^\w[\w.-]{0,127}$/;

export class LayoutRepository implements SourceRepository {
  readonly name: string;
  readonly registry = '';
  readonly repository: string;
  readonly #path: string;
  /** Read once: in the run that follows, what was seen first counts. */
  #tags: Promise<ReadonlyMap<string, Digest>> | undefined;

  /** @param folder the folder's own name */
  constructor(path: string, folder: string) {
    this.name = `oci:${path}`;
    this.repository = folder;
    this.#path = path;
  }

  async *tags(signal: AbortSignal): AsyncGenerator<readonly string[], void> {
    yield [...(await this.#read(signal)).keys()];
  }

  async resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined> {
    return (await this.#read(signal)).get(tag);
  }

  image(digest: Digest, tag: string): ImageSource {
    return ociLayoutImage(this.#path, { digest, label: `${this.name}:${tag}` });
  }

  /** Files are read by every target for itself, in its own threads. */
  blob(): undefined {
    return undefined;
  }

  #read(signal: AbortSignal): Promise<ReadonlyMap<string, Digest>> {
    signal.throwIfAborted();
    // A small file: who waits with others for it does not end it for them.
    const reading = this.#tags ?? this.#readIndex(new AbortController().signal);
    this.#tags = reading;
    reading.catch(() => {
      this.#tags = undefined;
    });
    return abortable(reading, signal);
  }

  async #readIndex(signal: AbortSignal): Promise<ReadonlyMap<string, Digest>> {
    const files = await openFolder(this.#path, this.name);
    const tags = new Map<string, Digest>();
    for (const { descriptor, names } of await readLayoutIndex(files, signal)) {
      for (const tag of names.map(tagIn)) {
        // Of two images of one name the first is it, as for who looks it up.
        if (tag !== undefined && !tags.has(tag)) tags.set(tag, descriptor.digest);
      }
    }
    return tags;
  }
}

/** `1.25` of `1.25` as of `docker.io/library/nginx:1.25`. */
function tagIn(name: string): string | undefined {
  const tag = /[/@:]/.test(name) ? /:([^:/@]+)(?:@[^/]*)?$/.exec(name)?.[1] : name;
  return tag !== undefined && TAG.test(tag) ? tag : undefined;
}
