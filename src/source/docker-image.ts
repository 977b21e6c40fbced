/** Makes of what `docker save` wrote an image that a registry takes. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { blobMissing, tooManyLayers } from '../image/image-errors.ts';
import type { ImageSourceContext, OpenImage } from '../image/image-source.ts';
import { printable } from '../image/json-document.ts';
import { digestOf } from '../image/manifest.ts';
import { DOCKER_CONFIG, DOCKER_IMAGE, OCI_CONFIG, OCI_IMAGE } from '../image/media-type.ts';
import { settleTogether } from '../image/side-by-side.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { FileRange } from '../layer/ports.ts';
import { LAYERS_PER_IMAGE_MAX } from '../limits.ts';
import { bytesSource } from './bytes-source.ts';
import { type ChosenImage, chooseSavedImage } from './docker-archive.ts';
import { fileSource } from './file-source.ts';
import { type ImageFiles, readRange } from './image-files.ts';
import type { ImageSelection } from './image-selection.ts';

type LayerKind = 'gzip' | 'zstd';

/** A layer as it will be pushed. */
interface ReadyLayer {
  readonly kind: LayerKind;
  readonly digest: Digest;
  readonly range: FileRange;
}

const OCI_LAYER: Readonly<Record<LayerKind, string>> = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const MAGIC: Readonly<Record<LayerKind, readonly number[]>> = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
};
const MAGIC_BYTES_MAX = 4;

/** @throws LongshoreError as `archiveImage` says */
export async function openDockerImage(
  files: ImageFiles,
  selection: ImageSelection,
  context: ImageSourceContext,
  signal: AbortSignal,
): Promise<OpenImage> {
  const chosen = await chooseSavedImage(files, selection, signal);
  const { length } = chosen.layerPaths;
  if (length > LAYERS_PER_IMAGE_MAX) {
    throw tooManyLayers(files.label, `image ${chosen.configDigest}`, length);
  }
  const layers = await readyLayers(files, chosen, context, signal);
  return new DockerImage(files.label, chosen, layers);
}

/** All side by side; the context bounds how many are worked on at once. */
async function readyLayers(
  files: ImageFiles,
  { layerPaths, diffIds }: ChosenImage,
  context: ImageSourceContext,
  signal: AbortSignal,
): Promise<readonly ReadyLayer[]> {
  const ranges: FileRange[] = [];
  for (const [index, path] of layerPaths.entries()) {
    signal.throwIfAborted();
    const range = await files.find(path);
    const diffId = diffIds[index];
    if (diffId === undefined) throw new Error('layers and diffIDs were counted');
    if (range === undefined) throw blobMissing(files.label, diffId);
    ranges.push(range);
  }
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  /** By where they are: the empty layers of an image, say, are all one. */
  const work = new Map<string, Promise<ReadyLayer>>();
  const layers = ranges.map((range, index) => {
    const diffId = diffIds[index];
    const place = `${range.offsetBytes} ${diffId}`;
    const layer = work.get(place) ?? readyLayer(range, diffId, context, either);
    work.set(place, layer);
    return layer;
  });
  // Nobody goes on writing to a folder that is about to be removed, so all are waited for.
  await settleTogether([...work.values()], stop);
  return Promise.all(layers);
}

async function readyLayer(
  range: FileRange,
  diffId: Digest | undefined,
  context: ImageSourceContext,
  signal: AbortSignal,
): Promise<ReadyLayer> {
  const headBytes = Math.min(MAGIC_BYTES_MAX, range.sizeBytes);
  const head = await readRange({ ...range, sizeBytes: headBytes }, signal);
  for (const kind of ['gzip', 'zstd'] as const) {
    if (!MAGIC[kind].every((byte, index) => head[index] === byte)) continue;
    // Only decompressing it would tell whether it is what the config says.
    return { kind, digest: await context.hash(range, signal), range };
  }
  const made = await context.compress(range, signal);
  if (made.diffId !== diffId) {
    throw new LongshoreError(
      'E_DIGEST_MISMATCH',
      `${range.label} has the digest ${made.diffId}, and the image's config says ${diffId}; the ` +
        'image is damaged, save it again',
      { expected: diffId ?? made.diffId, actual: made.diffId, source: range.label },
    );
  }
  const { path, digest, sizeBytes } = made;
  const { kind } = context.compression;
  return { kind, digest, range: { path, offsetBytes: 0, sizeBytes, label: range.label } };
}

class DockerImage implements OpenImage {
  readonly root: Descriptor;
  readonly #label: string;
  readonly #chosen: ChosenImage;
  readonly #layers: ReadonlyMap<Digest, ReadyLayer>;
  readonly #manifest: Uint8Array;

  constructor(label: string, chosen: ChosenImage, layers: readonly ReadyLayer[]) {
    this.#label = label;
    this.#chosen = chosen;
    this.#layers = new Map(layers.map((layer) => [layer.digest, layer]));
    const isDocker = layers.every(({ kind }) => kind === 'gzip');
    const mediaType = isDocker ? DOCKER_IMAGE : OCI_IMAGE;
    this.#manifest = manifestBytes(mediaType, chosen, layers);
    const { platform } = chosen;
    this.root = {
      mediaType,
      digest: digestOf(this.#manifest),
      sizeBytes: this.#manifest.length,
      ...(platform !== undefined && { platform }),
    };
  }

  readManifest({ digest }: Descriptor): Promise<Uint8Array> {
    if (digest === this.root.digest) return Promise.resolve(this.#manifest);
    return Promise.reject(blobMissing(this.#label, digest));
  }

  blob({ digest }: Descriptor): LayerSource {
    const { config, configDigest, configPath } = this.#chosen;
    if (digest === configDigest) {
      return bytesSource(config, { digest, label: `${this.#label}: ${printable(configPath)}` });
    }
    const layer = this.#layers.get(digest);
    if (layer === undefined) throw blobMissing(this.#label, digest);
    const { path, offsetBytes, sizeBytes, label } = layer.range;
    return fileSource(path, { digest, label, range: { offsetBytes, sizeBytes } });
  }

  referrers(): Promise<readonly Descriptor[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * One line of JSON without spaces: schemaVersion, mediaType, config, layers; of each descriptor mediaType,
 * size, digest. The same image always has the same digest, as long as its layers are compressed alike.
 */
function manifestBytes(
  mediaType: string,
  { config, configDigest }: ChosenImage,
  layers: readonly ReadyLayer[],
): Uint8Array {
  const isDocker = mediaType === DOCKER_IMAGE;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isDocker ? DOCKER_CONFIG : OCI_CONFIG,
      size: config.length,
      digest: configDigest,
    },
    layers: layers.map(({ kind, digest, range }) => ({
      mediaType: isDocker ? DOCKER_LAYER : OCI_LAYER[kind],
      size: range.sizeBytes,
      digest,
    })),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}
