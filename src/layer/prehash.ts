/** The digest of a source that can be read twice, so that a layer ECR has is never sent. */

import type { Digest } from '../digest.ts';
import type { PartMemory } from './part-memory.ts';
import type { LayerWorkshop } from './ports.ts';
import { foldSource } from './source-fold.ts';
import type { WatchedSource } from './watched-source.ts';

/** @throws LongshoreError E_SOURCE_UNREADABLE, E_SOURCE_CHANGED */
export async function hashBeforehand(
  source: WatchedSource,
  label: string,
  workshop: LayerWorkshop,
  memory: PartMemory,
  progress: SharedArrayBuffer,
  signal: AbortSignal,
): Promise<Digest> {
  const sizeBytes = source.sizeBytes ?? 0;
  if (source.path !== undefined) {
    const digest = await workshop.hashFile(
      { path: source.path, offsetBytes: source.pathOffsetBytes ?? 0, label, sizeBytes },
      progress,
      signal,
    );
    await source.assertUnchanged();
    return digest;
  }
  const hash = workshop.openHash(label);
  try {
    const options = { source, sourceLabel: label, hash, memory, counter: progress };
    const all = { firstByte: 0, endByte: sizeBytes };
    await foldSource({ ...options, pieceBytesMax: sizeBytes }, all, true, signal);
    return await hash.digest();
  } finally {
    hash.dispose();
  }
}
