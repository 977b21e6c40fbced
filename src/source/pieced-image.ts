/** An open image that is in pieces. Loaded only when one is opened. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { blobMissing } from '../image/image-errors.ts';
import type { OpenImage } from '../image/image-source.ts';
import { type Manifest, manifestTooLarge, readManifest } from '../image/manifest.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import { BlobFinder, type FindBlob } from './blob-finder.ts';
import { readRange } from './image-files.ts';
import type { ImagePieces } from './image-pieces.ts';
import { ManifestReader } from './manifest-reader.ts';
import { PieceLocator, wholeFile } from './piece-locator.ts';

type Pieces = ImagePieces & Required<Pick<ImagePieces, 'manifests' | 'label'>>;

/** @throws LongshoreError as `manifestImage` says */
export async function openPieces(pieces: Pieces, signal: AbortSignal): Promise<OpenImage> {
  const { label: source, mediaType } = pieces;
  const bytes = await readPiece(pieces.manifest, source, signal);
  const manifest = readManifest(bytes, { source, ...(mediaType !== undefined && { mediaType }) });
  const locator = new PieceLocator(source, pieces.blobs);
  const find: FindBlob = (descriptor) => locator.file(descriptor);
  const platform = await platformOf(manifest, new ManifestReader(source, find), signal);
  const root: Descriptor = {
    ...descriptorOf(manifest),
    ...(platform !== undefined && { platform }),
  };
  return new PiecedImage(pieces, root, bytes, locator, new BlobFinder(source, find));
}

class PiecedImage implements OpenImage {
  readonly root: Descriptor;
  readonly #pieces: Pieces;
  readonly #rootBytes: Uint8Array;
  readonly #locator: PieceLocator;
  readonly #files: BlobFinder;

  constructor(
    pieces: Pieces,
    root: Descriptor,
    rootBytes: Uint8Array,
    locator: PieceLocator,
    files: BlobFinder,
  ) {
    this.root = root;
    this.#pieces = pieces;
    this.#rootBytes = rootBytes;
    this.#locator = locator;
    this.#files = files;
  }

  async readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#bytesOf(descriptor, signal);
    const { label: source } = this.#pieces;
    let manifest: Manifest;
    try {
      manifest = readManifest(bytes, { source, mediaType: descriptor.mediaType });
    } catch (error) {
      // Whoever asked for the bytes reads them as well, and complains.
      if (LongshoreError.is(error)) return bytes;
      throw error;
    }
    const { config, layers } = manifest;
    const inFiles = layers.filter((layer) => this.#locator.source(layer) === undefined);
    const hasConfigFile = config !== undefined && this.#locator.source(config) === undefined;
    await this.#files.survey(
      { ...manifest, config: hasConfigFile ? config : undefined, layers: inFiles },
      signal,
    );
    return bytes;
  }

  blob(descriptor: Descriptor): ReturnType<OpenImage['blob']> {
    return this.#locator.source(descriptor) ?? this.#files.blob(descriptor);
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    const { manifests, label: source } = this.#pieces;
    const found: Descriptor[] = [];
    for (const piece of Object.values(manifests)) {
      const manifest = readManifest(await readPiece(piece, source, signal), { source });
      if (manifest.subject?.digest === digest) found.push(descriptorOf(manifest));
    }
    return found;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #bytesOf(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const { digest } = descriptor;
    if (digest === this.root.digest) return this.#rootBytes;
    const { manifests, label } = this.#pieces;
    const piece = Object.hasOwn(manifests, digest) ? manifests[digest] : undefined;
    if (piece !== undefined) return readPiece(piece, label, signal);
    const file = await this.#locator.file(descriptor);
    if (file === undefined) throw blobMissing(label, digest);
    return readPiece(file.path, label, signal);
  }
}

async function readPiece(
  piece: string | Uint8Array,
  source: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  if (typeof piece === 'string') {
    const file = await wholeFile(piece).catch((error: unknown) => {
      throw sourceUnreadable(piece, error);
    });
    if (file.sizeBytes > MANIFEST_SIZE_MAX_BYTES) throw manifestTooLarge(piece, file.sizeBytes);
    return readRange(file, signal);
  }
  if (piece.length > MANIFEST_SIZE_MAX_BYTES) throw manifestTooLarge(source, piece.length);
  return piece;
}

function descriptorOf({ mediaType, digest, bytes, artifactType }: Manifest): Descriptor {
  return {
    mediaType,
    digest,
    sizeBytes: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
  };
}

async function platformOf(
  manifest: Manifest,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<Descriptor['platform']> {
  try {
    return await reader.platformOf(manifest, signal);
  } catch (error) {
    // The plan tells of a config that is missing, together with all else.
    if (LongshoreError.is(error, 'E_BLOB_MISSING')) return undefined;
    throw error;
  }
}
