/** Puts one manifest, and knows what to do when ECR does not see what the manifest names. */

import { abortableDelay } from '../abort.ts';
import type { Digest } from '../digest.ts';
import { RegistryFault } from '../layer/ports.ts';
import { callRegistry, emitImage, type ImageContext } from './image-context.ts';
import { textOf } from './json-document.ts';
import type { Manifest } from './manifest.ts';
import { tagImmutable } from './push-plan.ts';

/**
 * ECR's check of manifests may lag behind completed layers by hundreds of milliseconds (ocync#104, M):
 * waits before asking again, in all about six seconds.
 */
const VISIBLE_DELAYS_MS = [100, 200, 400, 800, 1600, 3000] as const;
/** From this wait on, layers that ECR says it does not have are sent again. */
const REPAIR_FROM_ATTEMPT = 3;

/**
 * @param repair sends the blobs again that ECR does not have
 * @throws RegistryFault; LongshoreError E_TAG_IMMUTABLE; the signal's reason
 */
export async function putManifest(
  { manifest, tag }: { readonly manifest: Manifest; readonly tag: string | undefined },
  context: ImageContext,
  repair: () => Promise<void>,
  signal: AbortSignal,
): Promise<'put' | 'already-present'> {
  const { repository } = context.name;
  const { digest, mediaType } = manifest;
  const image = { text: textOf(manifest.bytes), mediaType, digest, tag };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callRegistry(context, 'PutImage', signal, () =>
        context.registry.putImage(repository, image, signal),
      );
    } catch (error) {
      if (!(error instanceof RegistryFault)) throw error;
      if (error.kind === 'tag-immutable' && tag !== undefined) {
        return await resolveImmutable(tag, digest, context, signal);
      }
      const isLag = error.kind === 'layers-missing' || error.kind === 'children-missing';
      const delayMs = VISIBLE_DELAYS_MS[attempt - 1];
      if (!isLag || delayMs === undefined) throw error;
      emitImage(context, { type: 'layers-not-visible', digest, attempt, delayMs });
      await abortableDelay(delayMs, signal);
      if (error.kind === 'layers-missing' && attempt >= REPAIR_FROM_ATTEMPT) await repair();
    }
  }
}

/** Somebody else may have put the same image under the tag meanwhile. */
async function resolveImmutable(
  tag: string,
  digest: Digest,
  context: ImageContext,
  signal: AbortSignal,
): Promise<'already-present'> {
  const { repository } = context.name;
  const [existing] = await callRegistry(context, 'BatchGetImage', signal, () =>
    context.registry.getImages(repository, [{ tag }], signal),
  );
  if (existing?.digest === digest) return 'already-present';
  throw tagImmutable(repository, tag, digest, existing?.digest);
}
