/** Where an image comes from, as the image room sees it. `src/source` has the implementations. */

import type { Digest } from '../digest.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { FileRange } from '../layer/ports.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import type { Manifest } from './manifest.ts';

/** How layers that are not compressed yet are compressed on the way. */
export interface Compression {
  readonly kind: 'gzip' | 'zstd';
  /** gzip 1..9, default 6; zstd 1..19, default 3. */
  readonly level?: number;
}

/** A compressed layer in a file. */
export interface CompressedLayer {
  readonly path: string;
  /** Of the compressed bytes. */
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Of the bytes before compression: what OCI calls the diffID. */
  readonly diffId: Digest;
}

/** Describes an image; nothing is opened or read until a push, a plan or a verification begins. */
export interface ImageSource {
  /** For messages and progress: a path or a reference. */
  readonly label: string;
  /**
   * Opens the source and finds the image in it. It must be closed.
   * @throws LongshoreError E_SOURCE_UNREADABLE, E_IMAGE_INVALID, E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS,
   * E_SOURCE_REGISTRY, E_SOURCE_DENIED
   */
  open(context: ImageSourceContext, signal: AbortSignal): Promise<OpenImage>;
}

/** What a source may use while it is open. */
export interface ImageSourceContext {
  /**
   * Compresses bytes of a file in a worker thread, deterministically, into a file of the temporary
   * directory. Several may run at once.
   */
  compress(input: FileRange, signal: AbortSignal): Promise<CompressedLayer>;
  /** The digest of bytes of a file, computed in a worker thread. */
  hash(input: FileRange, signal: AbortSignal): Promise<Digest>;
  readonly compression: Required<Compression>;
  /** An empty folder of this call's own, made on demand and removed when the call ends. */
  temporaryDirectory(): Promise<string>;
}

/** An open image: its graph's root, and the way to everything beneath. */
export interface OpenImage {
  /** What a tag would point to: an image, an index or an artifact. */
  readonly root: Descriptor;
  /**
   * The exact bytes of a manifest. The caller checks size and digest; the source only has to bound
   * what it reads by `descriptor.sizeBytes` (or the largest manifest, 4 MiB).
   * @throws LongshoreError E_BLOB_MISSING, E_SOURCE_UNREADABLE, ...
   */
  readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * What a single image says of its platform, where `root` does not tell it and it costs something to
   * find out; asked only when a platform is wanted.
   */
  platformOf?(manifest: Manifest, signal: AbortSignal): Promise<Platform | undefined>;
  /**
   * A config or layer. Cheap: nothing is opened. Its digest is the descriptor's.
   * @throws LongshoreError E_BLOB_MISSING if the source can tell now
   */
  blob(descriptor: Descriptor): LayerSource;
  /** Manifests of the source whose subject is this one; none where the source cannot tell. */
  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** Idempotent. */
  close(): Promise<void>;
}
