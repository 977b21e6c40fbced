/** What an OCI image layout holds: its list of images, and blobs by digest. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor, Platform } from '../image/descriptor.ts';
import { blobMissing, imageInvalid, imageUnsupported } from '../image/image-errors.ts';
import { JsonProblem, readJsonObject } from '../image/json-document.ts';
import { digestOf, type Manifest, readDescriptors, readManifest } from '../image/manifest.ts';
import { isImageType, isIndexType } from '../image/media-type.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import { platformOfConfig } from './config-platform.ts';
import { fileSource } from './file-source.ts';
import {
  CONFIG_BYTES_MAX,
  DOCUMENT_BYTES_MAX,
  type FileTree,
  readDocument,
  readRange,
  type TreeFile,
} from './file-tree.ts';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';

/** Images that one `index.json` lists. */
const ENTRIES_MAX = 10_000;

export class LayoutContent {
  /** What `index.json` lists. */
  readonly entries: readonly Descriptor[];
  readonly #tree: FileTree;
  readonly #manifests = new Map<Digest, Promise<Manifest | undefined>>();

  private constructor(tree: FileTree, entries: readonly Descriptor[]) {
    this.#tree = tree;
    this.entries = entries;
  }

  /** @throws LongshoreError E_IMAGE_INVALID, E_IMAGE_UNSUPPORTED, E_SOURCE_UNREADABLE */
  static async read(tree: FileTree, signal: AbortSignal): Promise<LayoutContent> {
    const { label } = tree;
    const layout = await readLayoutDocument(tree, LAYOUT_FILE, signal);
    const version = layout['imageLayoutVersion'];
    if (typeof version !== 'string') {
      throw imageInvalid(label, LAYOUT_FILE, 'it has no imageLayoutVersion');
    }
    if (!version.startsWith('1.')) {
      const problem = `it is of version ${version.slice(0, 20)}, and only 1.x is known`;
      throw imageUnsupported(
        label,
        LAYOUT_FILE,
        problem,
        'copy it with skopeo to a layout of today',
      );
    }
    const index = await readLayoutDocument(tree, INDEX_FILE, signal);
    const entries = problemsNamed(label, INDEX_FILE, () => readDescriptors(index, 'manifests'));
    if (entries.length > ENTRIES_MAX) {
      throw imageInvalid(label, INDEX_FILE, `it lists more than ${ENTRIES_MAX} images`);
    }
    return new LayoutContent(tree, entries);
  }

  get label(): string {
    return this.#tree.label;
  }

  /** @throws LongshoreError E_BLOB_MISSING, E_IMAGE_INVALID */
  async readBytes(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const file = this.#find(descriptor);
    if (file.sizeBytes > DOCUMENT_BYTES_MAX) {
      const problem = `it has ${file.sizeBytes} bytes, a manifest at most ${DOCUMENT_BYTES_MAX}`;
      throw imageInvalid(this.label, `manifest ${descriptor.digest}`, problem);
    }
    return readRange(file, signal);
  }

  /** @throws LongshoreError E_BLOB_MISSING, E_IMAGE_INVALID */
  blob(descriptor: Descriptor): LayerSource {
    const { digest } = descriptor;
    const { path, offsetBytes, sizeBytes, label } = this.#find(descriptor);
    return fileSource(path, { digest, label, range: { offsetBytes, sizeBytes } });
  }

  /**
   * The manifest, for a look at it; `undefined` for what is none, is of a kind that nobody takes, or
   * is not there. Read once.
   * @throws LongshoreError E_IMAGE_INVALID, E_DIGEST_MISMATCH
   */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<Manifest | undefined> {
    const { digest } = descriptor;
    const known = this.#manifests.get(digest);
    if (known !== undefined) return known;
    const reading = this.#readManifest(descriptor, signal);
    // Whoever awaits it hears of its failure.
    reading.catch(() => undefined);
    this.#manifests.set(digest, reading);
    return reading;
  }

  /** What the descriptor says, or else the image's own config. */
  async platformOf(descriptor: Descriptor, signal: AbortSignal): Promise<Platform | undefined> {
    if (descriptor.platform !== undefined) return descriptor.platform;
    const manifest = await this.manifest(descriptor, signal);
    const config = manifest?.config;
    if (config === undefined || config.sizeBytes > CONFIG_BYTES_MAX) return undefined;
    try {
      return platformOfConfig(config.mediaType, await readRange(this.#find(config), signal));
    } catch (error) {
      // A push of this image will tell; a choice between images goes on without it.
      if (LongshoreError.is(error, 'E_BLOB_MISSING')) return undefined;
      throw error;
    }
  }

  async #readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Manifest | undefined> {
    const { mediaType, digest } = descriptor;
    if (!isImageType(mediaType) && !isIndexType(mediaType)) return undefined;
    try {
      const bytes = await this.readBytes(descriptor, signal);
      const actual = digestOf(bytes);
      if (actual === digest) return readManifest(bytes, { source: this.label, mediaType });
      throw new LongshoreError(
        'E_DIGEST_MISMATCH',
        `${this.label}: the manifest ${digest} has the digest ${actual}; the image is damaged, make it anew`,
        { expected: digest, actual, source: this.label },
      );
    } catch (error) {
      if (LongshoreError.is(error, 'E_BLOB_MISSING')) return undefined;
      if (LongshoreError.is(error, 'E_IMAGE_UNSUPPORTED')) return undefined;
      throw error;
    }
  }

  #find({ digest, sizeBytes }: Descriptor): TreeFile {
    const file = this.#tree.find(`blobs/${digest.replace(':', '/')}`);
    if (file === undefined) throw blobMissing(this.label, digest);
    if (file.sizeBytes === sizeBytes) return file;
    const problem = `it should have ${sizeBytes} bytes and has ${file.sizeBytes}`;
    throw imageInvalid(this.label, `blob ${digest}`, problem);
  }
}

async function readLayoutDocument(
  tree: FileTree,
  name: string,
  signal: AbortSignal,
): Promise<ReturnType<typeof readJsonObject>> {
  const bytes = await readDocument(tree, name, DOCUMENT_BYTES_MAX, signal);
  if (bytes === undefined) {
    const problem =
      'there is none, so this is no OCI image layout (oci-layout, index.json, blobs/)';
    throw imageInvalid(tree.label, name, problem);
  }
  return problemsNamed(tree.label, name, () => readJsonObject(bytes));
}

/** Adds to what is wrong with a document which one it is. */
function problemsNamed<T>(source: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonProblem) throw imageInvalid(source, what, error.message);
    throw error;
  }
}
