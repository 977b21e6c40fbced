/** The one Complete of a layer, and what its answers mean. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { LaneLost } from './lane-lost.ts';
import { type LayerRegistry, RegistryFault, type UploadTarget } from './ports.ts';
import { callWithRetry, type OnRetry, type RetryPolicy } from './retry.ts';

/**
 * Completes a layer whose every byte is acknowledged and whose digest we computed. If an answer is
 * lost, the layer is looked up before anything is called a failure.
 * @param mayBeComplete an earlier process may have sent this call and not lived to see the answer
 * @throws LaneLost if a new upload is needed; LongshoreError otherwise
 */
export async function completeLayer(
  registry: LayerRegistry,
  target: UploadTarget,
  digest: Digest,
  retry: RetryPolicy,
  signal: AbortSignal,
  onRetry: (operation: string) => OnRetry,
  mayBeComplete: boolean,
): Promise<'uploaded' | 'already-present'> {
  let answerLost = mayBeComplete;
  const isStored = (): Promise<boolean> =>
    callWithRetry(
      () => registry.hasLayer(target.repository, digest, signal),
      retry,
      signal,
      onRetry('BatchCheckLayerAvailability'),
    );

  const complete = async (): Promise<'uploaded' | 'already-present'> => {
    try {
      const stored = await registry.completeUpload(target, digest, signal);
      if (stored !== digest) throw otherDigest(target, digest, stored);
      return 'uploaded';
    } catch (error) {
      if (!(error instanceof RegistryFault)) throw error;
      // The digest is one that we computed, so whoever stored it stored the same bytes.
      if (error.kind === 'already-exists') return answerLost ? 'uploaded' : 'already-present';
      if (error.kind === 'upload-lost') {
        // After a lost answer the upload may be gone because it was completed.
        const { repository } = target;
        if (answerLost && (await registry.hasLayer(repository, digest, signal))) return 'uploaded';
        throw new LaneLost(error.error);
      }
      if (error.kind === 'ambiguous') answerLost = true;
      throw error;
    }
  };

  try {
    return await callWithRetry(complete, retry, signal, onRetry('CompleteLayerUpload'));
  } catch (error) {
    if (!(error instanceof RegistryFault)) throw error;
    if (answerLost && (await isStored().catch(() => false))) return 'uploaded';
    signal.throwIfAborted();
    throw error.error;
  }
}

function otherDigest(target: UploadTarget, expected: Digest, received: Digest): LongshoreError {
  return new LongshoreError(
    'E_REGISTRY_PROTOCOL',
    `ECR completed the layer as ${received}, but its bytes have the digest ${expected}; ` +
      'do not use the layer',
    {
      operation: 'CompleteLayerUpload',
      repository: target.repository,
      expected,
      received,
    },
  );
}
