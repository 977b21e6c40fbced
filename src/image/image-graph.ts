/** An image is a graph: indexes list images, images list blobs, referrers point back at their subject. */

import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import type { Descriptor } from './descriptor.ts';
import { imageInvalid, imageUnsupported, manifestMismatch } from './image-errors.ts';
import type { OpenImage } from './image-source.ts';
import { type Manifest, manifestTooLarge, readManifest } from './manifest.ts';
import { isForeignLayerType, isImageType, isIndexType } from './media-type.ts';
import { choosePlatforms } from './platform-choice.ts';
import { fromSource } from './source-guard.ts';

/** One manifest of the graph. */
export interface GraphNode {
  readonly manifest: Manifest;
  /** As who refers to it describes it. */
  readonly descriptor: Descriptor;
  readonly role: 'root' | 'child' | 'referrer';
}

/** One blob of the graph. */
export interface GraphBlob {
  readonly descriptor: Descriptor;
  readonly kind: 'layer' | 'config';
  /** Its vendor hands it out; a registry does not want it. */
  readonly isForeign: boolean;
}

export interface ImageGraph {
  readonly root: GraphNode;
  /** In the order in which a registry takes them: children before indexes, subjects before referrers. */
  readonly nodes: readonly GraphNode[];
  /** Each once. */
  readonly blobs: ReadonlyMap<Digest, GraphBlob>;
}

export interface GraphOptions {
  /** The source's label, for messages. */
  readonly source: string;
  /** Platforms to take of an index; all if there are none. */
  readonly platforms: readonly string[];
  readonly referrers: boolean;
}

/** Manifests of one push; the largest known indexes have a few hundred. */
const MANIFESTS_MAX = 10_000;
/** Bytes of all manifests of one push, since they stay in memory. */
const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;
/** Indexes within indexes. */
const DEPTH_MAX = 16;
/** Manifests read at once: of a remote source each is a round trip. */
const READS_IN_FLIGHT = 8;

/** @throws LongshoreError E_IMAGE_INVALID, E_IMAGE_UNSUPPORTED, E_BLOB_MISSING, E_DIGEST_MISMATCH, ... */
export async function readGraph(
  image: OpenImage,
  options: GraphOptions,
  signal: AbortSignal,
): Promise<ImageGraph> {
  const stop = new AbortController();
  const reader = new GraphReader(image, options, AbortSignal.any([signal, stop.signal]));
  try {
    return await reader.read();
  } catch (error) {
    stop.abort(error);
    await reader.settled();
    throw error;
  }
}

class GraphReader {
  readonly #image: OpenImage;
  readonly #options: GraphOptions;
  readonly #signal: AbortSignal;
  readonly #limit = pLimit(READS_IN_FLIGHT);
  readonly #manifests = new Map<Digest, Promise<Manifest>>();
  #manifestBytes = 0;

  constructor(image: OpenImage, options: GraphOptions, signal: AbortSignal) {
    this.#image = image;
    this.#options = options;
    this.#signal = signal;
  }

  async read(): Promise<ImageGraph> {
    const { source, platforms } = this.#options;
    const whole = await this.#load(this.#image.root);
    const chosen = choosePlatforms(whole, await this.#rootWithPlatform(whole), platforms, source);
    // A list of our own exists nowhere but here.
    if (chosen.manifest !== undefined) {
      this.#manifests.set(chosen.manifest.digest, Promise.resolve(chosen.manifest));
    }
    const nodes = new Map<Digest, GraphNode>();
    await this.#collect(chosen.descriptor, 'root', 0, nodes);
    if (this.#options.referrers) {
      // The map grows while it is walked: referrers have referrers as well.
      for (const digest of nodes.keys()) {
        const referrers = await fromSource(source, this.#signal, () =>
          this.#image.referrers(digest, this.#signal),
        );
        for (const referrer of referrers) {
          const { subject } = await this.#load(referrer);
          // Who lists referrers is not who made them: a manifest itself says what it refers to.
          if (subject?.digest === digest) await this.#collect(referrer, 'referrer', 0, nodes);
        }
      }
    }
    const root = nodes.get(chosen.descriptor.digest);
    if (root === undefined) throw new Error('the root is not in its own graph');
    return { root, nodes: [...nodes.values()], blobs: blobsOf(nodes.values(), source) };
  }

  /** When nothing is being read any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#manifests.values());
  }

  async #rootWithPlatform(manifest: Manifest): Promise<Descriptor> {
    const { root } = this.#image;
    const { source, platforms } = this.#options;
    const isKnown = root.platform !== undefined || manifest.kind === 'index';
    if (isKnown || platforms.length === 0) return root;
    const platform = await fromSource(source, this.#signal, () =>
      this.#image.platformOf?.(manifest, this.#signal),
    );
    return platform === undefined ? root : { ...root, platform };
  }

  /** Adds a manifest behind everything that it lists. */
  async #collect(
    descriptor: Descriptor,
    role: GraphNode['role'],
    depth: number,
    nodes: Map<Digest, GraphNode>,
  ): Promise<void> {
    const { source } = this.#options;
    if (nodes.has(descriptor.digest)) return;
    if (depth > DEPTH_MAX) {
      throw imageInvalid(source, descriptor.digest, `indexes are nested over ${DEPTH_MAX} deep`);
    }
    const manifest = await this.#load(descriptor);
    // All at once, to be taken one by one below.
    await Promise.all(manifest.manifests.map((child) => this.#loadChild(manifest, child)));
    for (const child of manifest.manifests) {
      await this.#collect(child, role === 'root' ? 'child' : role, depth + 1, nodes);
    }
    nodes.set(descriptor.digest, { manifest, descriptor, role });
  }

  async #loadChild(index: Manifest, child: Descriptor): Promise<void> {
    const { source } = this.#options;
    if (!isImageType(child.mediaType) && !isIndexType(child.mediaType)) {
      throw imageUnsupported(
        source,
        `index ${index.digest}`,
        `it lists ${child.digest}, which is no manifest but ${child.mediaType.slice(0, 200)}`,
        'ECR takes indexes of images and of other indexes',
      );
    }
    try {
      await this.#load(child);
    } catch (error) {
      if (!LongshoreError.is(error, 'E_BLOB_MISSING')) throw error;
      // What `docker save` and `skopeo copy` make of an image for several platforms.
      throw new LongshoreError(
        'E_BLOB_MISSING',
        `${source}: the index ${index.digest} lists ${child.digest}, which is not there, and ECR takes ` +
          'an index only with all its images; push the platforms there are (platforms, --platform), ' +
          'or make the image with all of them',
        { source, digest: child.digest },
        { cause: error },
      );
    }
  }

  #load(descriptor: Descriptor): Promise<Manifest> {
    const known = this.#manifests.get(descriptor.digest);
    const { source } = this.#options;
    if (known !== undefined) return this.#assertSame(known, descriptor);
    if (this.#manifests.size >= MANIFESTS_MAX) {
      throw imageInvalid(source, 'its graph', `it has more than ${MANIFESTS_MAX} manifests`);
    }
    const loading = this.#limit(() => this.#read(descriptor));
    // Whoever awaits it hears of its failure; others may have stopped listening by then.
    loading.catch(() => undefined);
    this.#manifests.set(descriptor.digest, loading);
    return loading;
  }

  /** Two who describe one manifest must mean the same, or their readers see two images. */
  async #assertSame(loading: Promise<Manifest>, descriptor: Descriptor): Promise<Manifest> {
    const manifest = await loading;
    const { digest, mediaType, sizeBytes } = descriptor;
    if (manifest.mediaType === mediaType && manifest.bytes.length === sizeBytes) return manifest;
    const found = `${manifest.mediaType} of ${manifest.bytes.length} bytes`;
    const problem = `it is described as ${mediaType} of ${sizeBytes} bytes, and is ${found}`;
    throw imageInvalid(this.#options.source, `manifest ${digest}`, problem);
  }

  async #read(descriptor: Descriptor): Promise<Manifest> {
    this.#signal.throwIfAborted();
    const { source } = this.#options;
    const { digest, sizeBytes, mediaType } = descriptor;
    if (sizeBytes > MANIFEST_SIZE_MAX_BYTES) throw manifestTooLarge(source, sizeBytes);
    this.#manifestBytes += sizeBytes;
    if (this.#manifestBytes > MANIFEST_BYTES_MAX) {
      throw imageInvalid(source, 'its graph', `its manifests exceed ${MANIFEST_BYTES_MAX} bytes`);
    }
    const bytes = await fromSource(source, this.#signal, () =>
      this.#image.readManifest(descriptor, this.#signal),
    );
    if (bytes.length !== sizeBytes) {
      const problem = `it should have ${sizeBytes} bytes and has ${bytes.length}`;
      throw imageInvalid(source, `manifest ${digest}`, problem);
    }
    const manifest = readManifest(bytes, { source, mediaType });
    if (manifest.digest === digest) return manifest;
    throw manifestMismatch(source, digest, manifest.digest);
  }
}

function blobsOf(nodes: Iterable<GraphNode>, source: string): ReadonlyMap<Digest, GraphBlob> {
  const blobs = new Map<Digest, GraphBlob>();
  for (const { manifest } of nodes) {
    const { config, layers } = manifest;
    if (config !== undefined) addBlob(blobs, { descriptor: config, kind: 'config' }, source);
    for (const descriptor of layers) addBlob(blobs, { descriptor, kind: 'layer' }, source);
  }
  return blobs;
}

function addBlob(
  blobs: Map<Digest, GraphBlob>,
  { descriptor, kind }: Omit<GraphBlob, 'isForeign'>,
  source: string,
): void {
  const { digest, sizeBytes, mediaType, urls } = descriptor;
  const isForeign = isForeignLayerType(mediaType) && (urls?.length ?? 0) > 0;
  const known = blobs.get(digest);
  if (known === undefined) {
    blobs.set(digest, { descriptor, kind, isForeign });
  } else if (known.descriptor.sizeBytes !== sizeBytes) {
    const sizes = `${known.descriptor.sizeBytes} bytes, elsewhere ${sizeBytes}`;
    throw imageInvalid(source, `blob ${digest}`, `it is said to have ${sizes}`);
  } else if (known.isForeign && !isForeign) {
    // Who refers to it as a layer of its own needs it in the registry.
    blobs.set(digest, { descriptor, kind, isForeign });
  }
}
