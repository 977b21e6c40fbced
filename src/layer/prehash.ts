/** The digest of a source that can be read twice, so that a layer ECR has is never sent. */

import type { Digest } from '../digest.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { type PartMemory, partMemoryBytes, stagingArea } from './part-memory.ts';
import type { LayerWorkshop } from './ports.ts';
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
  const pieceBytes = Math.min(sizeBytes, PART_SIZE_REPORTED_BYTES);
  const shared = await memory.acquire(partMemoryBytes(pieceBytes), sizeBytes, signal);
  const endPreparation = memory.beginPreparation();
  try {
    for (let firstByte = 0; firstByte < sizeBytes; firstByte += pieceBytes) {
      const lengthBytes = Math.min(pieceBytes, sizeBytes - firstByte);
      await source.read(stagingArea(shared, lengthBytes), firstByte, signal);
      const offsetBytes = shared.byteLength - lengthBytes;
      await hash.fold(shared, { kind: 'staged', offsetBytes }, firstByte, lengthBytes);
      new Float64Array(progress)[0] = firstByte + lengthBytes;
      signal.throwIfAborted();
    }
    return await hash.digest();
  } finally {
    endPreparation();
    void source.idle.then(() => memory.release(shared));
    hash.dispose();
  }
}
