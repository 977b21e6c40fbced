/** What ECR would refuse of an image, found before a byte of it travels. */

import { LAYER_SIZE_MAX_BYTES, LAYERS_PER_IMAGE_MAX } from '../limits.ts';
import type { Descriptor } from './descriptor.ts';
import { imageUnsupported, tooManyLayers } from './image-errors.ts';
import type { GraphNode, ImageGraph } from './image-graph.ts';
import { isPlainMediaType } from './media-type.ts';

/** @throws LongshoreError E_IMAGE_UNSUPPORTED with the remedy */
export function assertSupported(graph: ImageGraph, source: string): void {
  for (const node of graph.nodes) assertManifest(node, source);
  for (const { descriptor, isForeign } of graph.blobs.values()) {
    if (!isForeign) assertBlob(descriptor, source);
  }
}

function assertManifest({ manifest }: GraphNode, source: string): void {
  const what = `manifest ${manifest.digest}`;
  const { layers, kind, artifactType, config, manifests, subject } = manifest;
  if (layers.length > LAYERS_PER_IMAGE_MAX) {
    throw tooManyLayers(source, what, layers.length);
  }
  if (kind === 'image' && layers.length === 0) {
    throw imageUnsupported(
      source,
      what,
      'it has no layers, which ECR refuses',
      'give it one; an artifact without content has the empty descriptor {} as its layer',
    );
  }
  if (artifactType !== undefined) assertMediaType(artifactType, 'artifactType', what, source);
  const references = [config, subject, ...layers, ...manifests];
  for (const reference of references) {
    if (reference === undefined) continue;
    assertMediaType(reference.mediaType, `the mediaType of ${reference.digest}`, what, source);
  }
}

function assertMediaType(mediaType: string, name: string, what: string, source: string): void {
  if (isPlainMediaType(mediaType)) return;
  throw imageUnsupported(
    source,
    what,
    `${name} is "${mediaType.slice(0, 200)}", and ECR takes media types without parameters only`,
    'leave out what follows the semicolon',
  );
}

function assertBlob({ digest, sizeBytes }: Descriptor, source: string): void {
  if (sizeBytes === 0) {
    throw imageUnsupported(
      source,
      `blob ${digest}`,
      'it is empty, and ECR cannot store a blob of no bytes (EmptyUploadException)',
      'use the two-byte empty descriptor {} instead',
    );
  }
  if (sizeBytes > LAYER_SIZE_MAX_BYTES) {
    throw imageUnsupported(
      source,
      `blob ${digest}`,
      `it has ${sizeBytes} bytes, ECR takes at most ${LAYER_SIZE_MAX_BYTES}`,
      'split the layer',
    );
  }
}
