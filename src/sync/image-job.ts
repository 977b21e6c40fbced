/** One image of a source on its way into the targets that want it. */

import type { Digest } from '../digest.ts';
import type { Destination } from './destination.ts';
import type { SourceRepository } from './source-repository.ts';
import type { SyncMapping } from './sync-config.ts';
import type { PlannedSyncTag } from './sync-plan.ts';

export interface ImageJob {
  readonly mapping: SyncMapping;
  readonly source: SourceRepository;
  /** At the source. */
  readonly digest: Digest;
  readonly deliveries: readonly ImageDelivery[];
  /** The tags have moved while the sync ran, and were looked at again. */
  readonly again: boolean;
}

/** What one target gets of it. */
export interface ImageDelivery {
  readonly destination: Destination;
  readonly repository: string;
  /** One at least. */
  readonly tags: readonly PlannedSyncTag[];
}

/** Gathers tags to copy by the image that they name at the source. */
export function jobsOf(
  mapping: SyncMapping,
  source: SourceRepository,
  tags: readonly { readonly planned: PlannedSyncTag; readonly destination: Destination }[],
  again = false,
): ImageJob[] {
  const images = new Map<Digest, Map<string, ImageDelivery & { tags: PlannedSyncTag[] }>>();
  for (const { planned, destination } of tags) {
    const { action, sourceDigest, repository } = planned;
    if (action !== 'copy' || sourceDigest === undefined || repository === undefined) continue;
    const deliveries = images.get(sourceDigest) ?? new Map();
    images.set(sourceDigest, deliveries);
    const key = `${destination.target.name} ${repository}`;
    const delivery = deliveries.get(key) ?? { destination, repository, tags: [] };
    deliveries.set(key, delivery);
    delivery.tags.push(planned);
  }
  return [...images].map(([digest, deliveries]) => ({
    mapping,
    source,
    digest,
    deliveries: [...deliveries.values()],
    again,
  }));
}
