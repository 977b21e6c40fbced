/** What the targets have of a chunk of tags. */

import type { Digest } from '../digest.ts';
import { readManifest } from '../image/manifest.ts';
import type { StoredImage } from '../image/image-registry.ts';
import type { Destination } from './destination.ts';

/** One target's repository for the images of a source. */
export interface DestinationRepository {
  readonly destination: Destination;
  readonly repository: string;
}

/** What it has of the tags asked for; or why that is not known. */
export interface DestinationTags extends DestinationRepository {
  readonly images: ReadonlyMap<string, StoredImage>;
  readonly error: unknown;
}

/** Never rejects but for an abort: a target that cannot be read does not keep the others from their images. */
export async function readDestinationTags(
  { destination, repository }: DestinationRepository,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<DestinationTags> {
  try {
    const images = await destination.target.readTags(repository, tags, signal);
    const ledger = await destination.ledger(signal);
    for (const image of images.values()) ledger.addHome(repository, blobsNamedBy(image));
    return { destination, repository, images, error: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { destination, repository, images: new Map(), error };
  }
}

/** An image that is there has all its blobs there, and ECR mounts what a manifest names. */
function blobsNamedBy(image: StoredImage): readonly Digest[] {
  const { mediaType, text } = image;
  try {
    const origin = { source: image.digest, ...(mediaType !== undefined && { mediaType }) };
    const { config, layers } = readManifest(Buffer.from(text), origin);
    // Layers with URLs stay with their vendor.
    const own = layers.filter(({ urls }) => urls === undefined || urls.length === 0);
    return [config, ...own].flatMap((blob) => (blob === undefined ? [] : [blob.digest]));
  } catch {
    // It only spares uploads; what is odd about it is of no concern here.
    return [];
  }
}
