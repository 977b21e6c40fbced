/** Makes the receipt of a push out of its plan and of what came to pass. */

import type { Digest } from '../digest.ts';
import type { ImageContext } from './image-context.ts';
import type { ImageBlobReceipt, ImageManifestReceipt, ImageReceipt } from './image-events.ts';
import type { ImagePlan, PlannedBlob } from './image-plan.ts';

type PutOutcome = ImageManifestReceipt['outcome'];

/** What a push did; what is not in it was there already. */
export interface PushResults {
  readonly blobs: ReadonlyMap<Digest, ImageBlobReceipt>;
  readonly manifests: ReadonlyMap<Digest, PutOutcome>;
  readonly tags: ReadonlyMap<string, PutOutcome>;
}

export function imageReceipt(
  plan: ImagePlan,
  results: PushResults,
  tally: ImageContext['tally'],
  durationMs: number,
): ImageReceipt {
  const { repository, source, digest, mediaType } = plan;
  const blobs = plan.blobs.map((blob) => results.blobs.get(blob.digest) ?? skippedBlob(blob));
  const manifests = plan.manifests.map((planned): ImageManifestReceipt => {
    const outcome = results.manifests.get(planned.digest) ?? 'already-present';
    const { sizeBytes, platform, artifactType, role } = planned;
    const type = planned.mediaType;
    return {
      digest: planned.digest,
      sizeBytes,
      mediaType: type,
      platform,
      artifactType,
      role,
      outcome,
    };
  });
  const tags = plan.tags.map(({ tag, previousDigest }) => ({
    tag,
    outcome: results.tags.get(tag) ?? ('already-present' as const),
    previousDigest: previousDigest === digest ? undefined : previousDigest,
  }));
  const sentBytes = blobs.reduce((sum, blob) => sum + blob.sentBytes, 0);
  const isChanged =
    sentBytes > 0 || [...manifests, ...tags].some(({ outcome }) => outcome === 'put');
  const rested = blobs.filter(
    ({ outcome }) => outcome === 'already-present' || outcome === 'mounted',
  );
  return {
    repository,
    source,
    digest,
    mediaType,
    outcome: isChanged ? 'pushed' : 'already-present',
    tags,
    manifests,
    blobs,
    sentBytes,
    skippedBytes: rested.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    calls: Object.fromEntries(tally),
    callCount: [...tally.values()].reduce((sum, count) => sum + count, 0),
    durationMs,
  };
}

function skippedBlob({
  digest,
  sizeBytes,
  mediaType,
  kind,
  reason,
}: PlannedBlob): ImageBlobReceipt {
  const outcome = reason === 'foreign' ? 'foreign' : 'already-present';
  return { digest, sizeBytes, mediaType, kind, outcome, sentBytes: 0, durationMs: 0 };
}
