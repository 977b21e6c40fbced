/** Digests, plans and receipts of images that never were. */

import type {
  Digest,
  ImageEvent,
  ImagePlan,
  ImageReceipt,
  LayerName,
  PlannedBlob,
} from '../../src/index.ts';

export const ROOT: Digest = digestOf(0xfeed);

export function digestOf(index: number): Digest {
  return `sha256:${index.toString(16).padStart(12, '0').padEnd(64, 'f')}`;
}

/** `count` blobs of a megabyte, of which the first `uploadCount` are to be sent. */
export function blobsOf(count: number, uploadCount: number): PlannedBlob[] {
  return Array.from({ length: count }, (_, index) => ({
    digest: digestOf(index),
    sizeBytes: 1_000_000,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    kind: index === count - 1 ? ('config' as const) : ('layer' as const),
    action: index < uploadCount ? ('upload' as const) : ('skip' as const),
    reason: index < uploadCount ? ('missing' as const) : ('present' as const),
  }));
}

export function planOf(blobs: readonly PlannedBlob[], more: Partial<ImagePlan> = {}): ImagePlan {
  const bytesOf = (action: string): number =>
    blobs.filter((blob) => blob.action === action).reduce((sum, blob) => sum + blob.sizeBytes, 0);
  return {
    repository: 'team/app',
    source: 'layout',
    digest: ROOT,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    repositoryExists: true,
    tags: [{ tag: '1.0', action: 'new', previousDigest: undefined }],
    manifests: [
      {
        digest: ROOT,
        sizeBytes: 1234,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        platform: undefined,
        artifactType: undefined,
        role: 'root',
        action: 'put',
      },
    ],
    blobs,
    uploadBytes: bytesOf('upload'),
    presentBytes: bytesOf('skip'),
    calls: { BatchCheckLayerAvailability: 1, UploadLayerPart: 3, PutImage: 1 },
    ...more,
  };
}

export function receiptOf(plan: ImagePlan): ImageReceipt {
  return {
    repository: plan.repository,
    source: plan.source,
    digest: plan.digest,
    mediaType: plan.mediaType,
    outcome: 'pushed',
    tags: plan.tags.map(({ tag, previousDigest }) => ({ tag, outcome: 'put', previousDigest })),
    manifests: plan.manifests.map(({ action: _action, ...rest }) => ({ ...rest, outcome: 'put' })),
    blobs: plan.blobs.map(({ action, reason: _reason, ...rest }) => ({
      ...rest,
      outcome: action === 'upload' ? 'uploaded' : 'already-present',
      sentBytes: action === 'upload' ? rest.sizeBytes : 0,
      durationMs: 10,
    })),
    sentBytes: plan.uploadBytes,
    skippedBytes: plan.presentBytes,
    calls: plan.calls,
    callCount: Object.values(plan.calls).reduce((sum, count) => sum + count, 0),
    durationMs: 4200,
  };
}

export const IMAGE = { repository: 'team/app', image: 'layout', imageId: 1 } as const;

export function plannedEvent(plan: ImagePlan): ImageEvent {
  return { ...IMAGE, type: 'image-planned', plan };
}

export function layerName(index: number): LayerName {
  return { repository: 'team/app', source: `layout ${digestOf(index)}`, layerId: index };
}

export function startedEvent(index: number): ImageEvent {
  return {
    ...layerName(index),
    type: 'layer-started',
    sizeBytes: 1_000_000,
    digest: digestOf(index),
  };
}

export function completedEvent(index: number): ImageEvent {
  const { repository, source, layerId } = layerName(index);
  const receipt = {
    repository,
    source,
    digest: digestOf(index),
    sizeBytes: 1_000_000,
    outcome: 'uploaded' as const,
    partCount: 1,
    sentBytes: 1_000_000,
    resumedBytes: 0,
    durationMs: 100,
  };
  return { repository, source, layerId, type: 'layer-completed', receipt };
}
