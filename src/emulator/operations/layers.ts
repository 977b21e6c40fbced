/** Operations on layers: asking, uploading, downloading. */

import { isDigest } from '../../digest.ts';
import type { Digest } from '../../digest.ts';
import { EcrException, invalidParameter } from '../exception.ts';
import { operation } from '../operation.ts';
import type { OperationHandler, OperationOutput } from '../operation.ts';
import type { RepositoryReference } from '../registry-state.ts';
import { refusalOfDigests } from '../upload-state.ts';
import type { RepositoryState } from '../repository-state.ts';

const ANY_DIGEST = /^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/;

export const batchCheckLayerAvailability: OperationHandler = operation<
  RepositoryReference & { readonly layerDigests: readonly string[] }
>((input, { registry }) => {
  const repository = registry.repository(input);
  const layers: OperationOutput[] = [];
  const failures: OperationOutput[] = [];
  for (const layerDigest of input.layerDigests) {
    if (layerDigest === '') {
      failures.push({
        layerDigest,
        failureCode: 'MissingLayerDigest',
        failureReason: 'The layer digest must be given',
      });
    } else if (ANY_DIGEST.test(layerDigest)) {
      layers.push(availability(repository, layerDigest));
    } else {
      failures.push({
        layerDigest,
        failureCode: 'InvalidLayerDigest',
        failureReason: 'The layer digest is not valid',
      });
    }
  }
  return { layers, failures };
});

export const initiateLayerUpload: OperationHandler = operation<RepositoryReference>(
  async (input, { now, options, registry }) => {
    const upload = await registry.startUpload(input, now());
    return { uploadId: upload.identity.uploadId, partSize: options.partSizeBytes };
  },
);

interface PartInput extends RepositoryReference {
  readonly uploadId: string;
  readonly partFirstByte: number;
  /** Inclusive, as on the wire. */
  readonly partLastByte: number;
}

export const uploadLayerPart: OperationHandler = operation<PartInput>(
  async ({ partFirstByte, partLastByte, ...input }, { now, options, part, registry, serve }) => {
    if (part === undefined) throw invalidParameter('layerPartBlob', 'Member must not be null');
    const repository = registry.repository(input);
    const range = { firstByte: partFirstByte, endByte: partLastByte + 1 };
    const refuseUnsound = (): void => {
      const upload = registry.upload(repository, input.uploadId, now());
      const refusal = upload.refusalOfPart(range, part.sizeBytes, options);
      if (refusal !== undefined) throw refusal;
    };
    // Judged on arrival: a part that is whole before its predecessor is acknowledged is too early.
    // Then again in its turn: of two equal parts that race, the second is refused.
    refuseUnsound();
    const { uploadId } = registry.upload(repository, input.uploadId, now()).identity;
    return registry.lock.run(`upload:${uploadId}`, async () => {
      refuseUnsound();
      await serve();
      const upload = registry.upload(repository, uploadId, now());
      await registry.store.appendPart(uploadId, range, part.slabs);
      upload.accept(range);
      return {
        registryId: registry.registryId,
        repositoryName: repository.name,
        uploadId,
        lastByteReceived: upload.nextByte - 1,
      };
    });
  },
);

export const completeLayerUpload: OperationHandler = operation<
  RepositoryReference & { readonly uploadId: string; readonly layerDigests: readonly string[] }
>(async (input, { now, registry }) => {
  const repository = registry.repository(input);
  const { uploadId } = registry.upload(repository, input.uploadId, now()).identity;
  return registry.lock.run(`upload:${uploadId}`, async () => {
    const upload = registry.upload(repository, uploadId, now());
    const refusal = upload.refusalOfCompletion();
    if (refusal !== undefined) throw refusal;
    const computed = await registry.store.digestUpload(uploadId);
    const layerDigest = computed ?? believed(input.layerDigests);
    const mismatch = refusalOfDigests(input.layerDigests, layerDigest);
    if (mismatch !== undefined) throw mismatch;
    await registry.keepLayer(repository, upload, layerDigest, now());
    return {
      registryId: registry.registryId,
      repositoryName: repository.name,
      uploadId,
      layerDigest,
    };
  });
});

export const getDownloadUrlForLayer: OperationHandler = operation<
  RepositoryReference & { readonly layerDigest: string }
>((input, { downloadUrl, registry }) => {
  const repository = registry.repository(input);
  const { layerDigest } = input;
  if (!isDigest(layerDigest) || !repository.layers.has(layerDigest)) {
    throw new EcrException(
      'LayersNotFoundException',
      `The layer with digest ${layerDigest.slice(0, 200)} does not exist within the repository ` +
        `with name '${repository.name}' in the registry with id '${registry.registryId}'`,
    );
  }
  if (!repository.isReferenced(layerDigest)) {
    throw new EcrException(
      'LayerInaccessibleException',
      `The layer with digest '${layerDigest}' in the repository with name '${repository.name}' ` +
        'is not associated with an image. Unassociated image layers may be cleaned up at any time',
    );
  }
  return { downloadUrl: downloadUrl(repository.name, layerDigest), layerDigest };
});

function availability(repository: RepositoryState, layerDigest: string): OperationOutput {
  const layer = isDigest(layerDigest) ? repository.layers.get(layerDigest) : undefined;
  if (layer === undefined) return { layerDigest, layerAvailability: 'UNAVAILABLE' };
  return {
    layerDigest,
    layerAvailability: 'AVAILABLE',
    layerSize: layer.sizeBytes,
    mediaType: repository.mediaTypeOf(layer.digest),
  };
}

// Without content there is nothing to compute from: the caller's word has to do.
function believed(layerDigests: readonly string[]): Digest {
  const digest = layerDigests.map((text) => text.toLowerCase()).find((text) => isDigest(text));
  if (digest !== undefined) return digest;
  throw invalidParameter('layerDigests', 'must contain a sha256 digest while content is discarded');
}
