/** Images made of bytes in memory, as an image source for tests of what comes after the source. */

import { createHash } from 'node:crypto';
import { bytesSource } from '../../src/index.ts';
import type { Descriptor, Digest, ImageSource } from '../../src/index.ts';
import { blobMissing } from '../../src/image/image-errors.ts';
import {
  DOCKER_IMAGE,
  isImageType,
  OCI_CONFIG,
  OCI_IMAGE,
  OCI_INDEX,
} from '../../src/image/media-type.ts';

const GZIP_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';

/** A manifest and all that is beneath it. */
export interface MadeImage {
  readonly descriptor: Descriptor;
  /** Manifests and blobs by digest, this one's own included. */
  readonly content: ReadonlyMap<Digest, Uint8Array>;
}

export interface ImageSpec {
  readonly layers: readonly Uint8Array[];
  readonly config?: Uint8Array;
  readonly configType?: string;
  readonly layerType?: string;
  readonly mediaType?: string;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly platform?: Descriptor['platform'];
  /** Layers that are named in the manifest, but not in the content. */
  readonly foreign?: readonly Uint8Array[];
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function makeImage(spec: ImageSpec): MadeImage {
  const { layers, mediaType = OCI_IMAGE, foreign = [], platform } = spec;
  const config = spec.config ?? encode({ os: 'linux', layers: layers.map(digestOf) });
  const manifest = encode({
    schemaVersion: 2,
    mediaType,
    ...(spec.artifactType !== undefined && { artifactType: spec.artifactType }),
    config: jsonDescriptor(config, spec.configType ?? OCI_CONFIG),
    layers: [
      ...layers.map((layer) => jsonDescriptor(layer, spec.layerType ?? GZIP_LAYER)),
      ...foreign.map((layer) => ({
        ...jsonDescriptor(layer, FOREIGN_LAYER),
        urls: ['https://vendor.example/layer'],
      })),
    ],
    ...(spec.subject !== undefined && {
      subject: {
        mediaType: spec.subject.mediaType,
        digest: spec.subject.digest,
        size: spec.subject.sizeBytes,
      },
    }),
  });
  const content = new Map([config, ...layers, manifest].map((bytes) => [digestOf(bytes), bytes]));
  const descriptor = descriptorOf(manifest, mediaType);
  return { descriptor: { ...descriptor, ...(platform !== undefined && { platform }) }, content };
}

export function makeDockerImage(layers: readonly Uint8Array[]): MadeImage {
  return makeImage({
    layers,
    mediaType: DOCKER_IMAGE,
    configType: 'application/vnd.docker.container.image.v1+json',
    layerType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  });
}

export function makeIndex(
  children: readonly MadeImage[],
  mediaType: string = OCI_INDEX,
): MadeImage {
  const manifest = encode({
    schemaVersion: 2,
    mediaType,
    manifests: children.map(({ descriptor }) => ({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.sizeBytes,
      ...(descriptor.platform !== undefined && { platform: descriptor.platform }),
      ...(descriptor.annotations !== undefined && { annotations: descriptor.annotations }),
    })),
  });
  const content = new Map(children.flatMap((child) => [...child.content]));
  content.set(digestOf(manifest), manifest);
  return { descriptor: descriptorOf(manifest, mediaType), content };
}

/**
 * The image as a source.
 * @param referrers images whose manifests have a subject
 */
export function memoryImage(
  image: MadeImage,
  referrers: readonly MadeImage[] = [],
  label = 'memory',
): ImageSource {
  const content = new Map([image, ...referrers].flatMap((one) => [...one.content]));
  return {
    label,
    open: () =>
      Promise.resolve({
        root: image.descriptor,
        readManifest: async ({ digest }) => {
          const bytes = content.get(digest);
          if (bytes === undefined) throw blobMissing(label, digest);
          return Promise.resolve(bytes);
        },
        blob: ({ digest }) => {
          const bytes = content.get(digest);
          if (bytes === undefined) throw blobMissing(label, digest);
          return bytesSource(bytes, { label: digest, digest });
        },
        referrers: (digest) => Promise.resolve(referrersOf(digest, referrers)),
        close: () => Promise.resolve(),
      }),
  };
}

function referrersOf(digest: Digest, referrers: readonly MadeImage[]): Descriptor[] {
  return referrers.flatMap(({ descriptor, content }) => {
    if (!isImageType(descriptor.mediaType)) return [];
    const text = new TextDecoder().decode(content.get(descriptor.digest));
    const { subject } = JSON.parse(text) as { subject?: { digest: string } };
    return subject?.digest === digest ? [descriptor] : [];
  });
}

function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), sizeBytes: bytes.length };
}

function jsonDescriptor(bytes: Uint8Array, mediaType: string) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
