/** What a repository has of an image, asked in as few calls as there can be. */

import type { Digest } from '../digest.ts';
import { DIGESTS_PER_CHECK_MAX, IMAGES_PER_CALL_MAX } from '../limits.ts';
import { RegistryFault } from '../layer/ports.ts';
import { callRegistry, type ImageContext } from './image-context.ts';
import { imageInvalid } from './image-errors.ts';
import type { GraphBlob, GraphNode, ImageGraph } from './image-graph.ts';
import type { ImageReference } from './image-registry.ts';

export interface RepositoryContent {
  readonly exists: boolean;
  /** Manifests of the graph that are there. */
  readonly manifests: ReadonlySet<Digest>;
  /** What the tags asked for point to, where they exist. */
  readonly tags: ReadonlyMap<string, Digest>;
  /** Blobs that are there, of those that manifests which are not there refer to. */
  readonly blobs: ReadonlySet<Digest>;
}

/**
 * An image that is there has all its layers, and an index all its images: ECR keeps both from being
 * deleted. So where the root is there, one call tells everything.
 * @throws RegistryFault; of kind repository-missing only where it will not be created
 */
export async function readContent(
  graph: ImageGraph,
  tags: readonly string[],
  context: ImageContext,
  signal: AbortSignal,
): Promise<RepositoryContent> {
  const manifests = new Set<Digest>();
  const tagged = new Map<string, Digest>();
  const ask = async (references: readonly ImageReference[]): Promise<void> => {
    for (const some of batches(references, IMAGES_PER_CALL_MAX)) {
      const images = await callRegistry(context, 'BatchGetImage', signal, () =>
        context.registry.getImages(context.name.repository, some, signal),
      );
      for (const { digest, tag } of images) {
        manifests.add(digest);
        if (tag !== undefined) tagged.set(tag, digest);
      }
    }
  };
  const { root } = graph;
  try {
    await ask([{ digest: root.manifest.digest }, ...tags.map((tag) => ({ tag }))]);
    const hasRoot = manifests.has(root.manifest.digest);
    if (hasRoot) {
      for (const { role, manifest } of graph.nodes) {
        if (role !== 'referrer') manifests.add(manifest.digest);
      }
    }
    const unknown = graph.nodes.filter(({ manifest }) => !manifests.has(manifest.digest));
    const others = unknown.filter((node) => node !== root);
    await ask(others.map(({ manifest }) => ({ digest: manifest.digest })));
  } catch (error) {
    const missing = error instanceof RegistryFault && error.kind === 'repository-missing';
    if (!missing || !context.createRepository) throw error;
    context.expectUploads?.();
    return { exists: false, manifests: new Set(), tags: new Map(), blobs: new Set() };
  }
  const needed = neededBlobs(graph, manifests);
  if (needed.length > 0) context.expectUploads?.();
  const blobs = await presentBlobs(needed, context, signal);
  return { exists: true, manifests, tags: tagged, blobs };
}

/** Blobs that manifests which are not there refer to; foreign ones are not needed. */
export function neededBlobs(
  graph: {
    readonly nodes: readonly Pick<GraphNode, 'manifest'>[];
    readonly blobs: ImageGraph['blobs'];
  },
  manifests: ReadonlySet<Digest>,
): GraphBlob[] {
  const needed = new Map<Digest, GraphBlob>();
  for (const { manifest } of graph.nodes) {
    if (manifests.has(manifest.digest)) continue;
    for (const reference of [manifest.config, ...manifest.layers]) {
      const blob = reference === undefined ? undefined : graph.blobs.get(reference.digest);
      if (blob !== undefined && !blob.isForeign) needed.set(blob.descriptor.digest, blob);
    }
  }
  return [...needed.values()];
}

/** @throws LongshoreError E_IMAGE_INVALID for a blob whose size ECR knows better */
export async function presentBlobs(
  blobs: readonly GraphBlob[],
  context: ImageContext,
  signal: AbortSignal,
): Promise<ReadonlySet<Digest>> {
  const { repository, image } = context.name;
  const present = new Set<Digest>();
  for (const some of batches(blobs, DIGESTS_PER_CHECK_MAX)) {
    const digests = some.map(({ descriptor }) => descriptor.digest);
    const sizes = await callRegistry(context, 'BatchCheckLayerAvailability', signal, () =>
      context.registry.availableLayers(repository, digests, signal),
    );
    for (const { descriptor } of some) {
      const { digest, sizeBytes } = descriptor;
      if (!sizes.has(digest)) continue;
      const actual = sizes.get(digest);
      if (actual !== undefined && actual !== sizeBytes) {
        const problem = `the manifest gives it ${sizeBytes} bytes, it has ${actual}`;
        throw imageInvalid(image, `blob ${digest}`, problem);
      }
      present.add(digest);
    }
  }
  return present;
}

export function* batches<T>(items: readonly T[], countMax: number): Generator<readonly T[]> {
  for (let first = 0; first < items.length; first += countMax) {
    yield items.slice(first, first + countMax);
  }
}
