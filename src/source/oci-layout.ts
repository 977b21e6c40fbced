/** An open OCI image layout, in a folder or in an archive. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { imageInvalid } from '../image/image-errors.ts';
import type { OpenImage } from '../image/image-source.ts';
import { readManifest } from '../image/manifest.ts';
import { isIndexType } from '../image/media-type.ts';
import { LongshoreError } from '../errors.ts';
import { BlobFinder, type FindBlob } from './blob-finder.ts';
import { chooseEntry } from './entry-choice.ts';
import type { ImageFiles } from './image-files.ts';
import type { ImageSelection } from './image-selection.ts';
import { type LayoutEntry, readLayoutIndex } from './layout-index.ts';
import { ManifestReader } from './manifest-reader.ts';

/** Manifests that are looked into for their subject. */
const MANIFESTS_EXAMINED_MAX = 10_000;

/** @throws LongshoreError as `ociLayoutImage` says */
export async function openOciLayout(
  files: ImageFiles,
  selection: ImageSelection,
  signal: AbortSignal,
): Promise<OpenImage> {
  const entries = await readLayoutIndex(files, signal);
  const find: FindBlob = ({ digest }) => files.find(blobPath(digest));
  const reader = new ManifestReader(files.label, find);
  const root = await chooseEntry(entries, selection, reader, signal);
  return new OciLayout(root, entries, reader, new BlobFinder(files.label, find));
}

/** Where a layout has a blob. */
function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

class OciLayout implements OpenImage {
  readonly root: Descriptor;
  readonly #entries: readonly LayoutEntry[];
  readonly #reader: ManifestReader;
  readonly #blobs: BlobFinder;
  #referrers: Promise<ReadonlyMap<Digest, readonly Descriptor[]>> | undefined;

  constructor(
    root: Descriptor,
    entries: readonly LayoutEntry[],
    reader: ManifestReader,
    blobs: BlobFinder,
  ) {
    this.root = root;
    this.#entries = entries;
    this.#reader = reader;
    this.#blobs = blobs;
  }

  async readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#reader.bytes(descriptor, signal);
    const { label: source } = this.#reader;
    const { mediaType } = descriptor;
    let manifest;
    try {
      manifest = readManifest(bytes, { source, mediaType });
    } catch (error) {
      // Whoever asked for the bytes reads them as well, and complains.
      if (LongshoreError.is(error)) return bytes;
      throw error;
    }
    await this.#blobs.survey(manifest, signal);
    return bytes;
  }

  blob(descriptor: Descriptor): ReturnType<OpenImage['blob']> {
    return this.#blobs.blob(descriptor);
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    this.#referrers ??= this.#readReferrers(signal);
    return (await this.#referrers).get(digest) ?? [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** By their subjects: entries, and what indexes among the entries list. */
  async #readReferrers(signal: AbortSignal): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
    const referrers = new Map<Digest, Descriptor[]>();
    const seen = new Set<Digest>();
    const examine = async (descriptor: Descriptor, isEntry: boolean): Promise<void> => {
      const { digest, mediaType } = descriptor;
      if (seen.has(digest)) return;
      seen.add(digest);
      if (seen.size > MANIFESTS_EXAMINED_MAX) {
        const problem = `it has more than ${MANIFESTS_EXAMINED_MAX} manifests to look for referrers in`;
        throw imageInvalid(this.#reader.label, 'the layout', problem);
      }
      const manifest = await this.#reader.manifestIfAny(descriptor, signal);
      if (manifest?.subject !== undefined) {
        const known = referrers.get(manifest.subject.digest) ?? [];
        const { artifactType = descriptor.artifactType } = manifest;
        known.push({ ...descriptor, ...(artifactType !== undefined && { artifactType }) });
        referrers.set(manifest.subject.digest, known);
      }
      if (!isEntry || manifest === undefined || !isIndexType(mediaType)) return;
      for (const child of manifest.manifests) await examine(child, false);
    };
    for (const { descriptor } of this.#entries) await examine(descriptor, true);
    return referrers;
  }
}
