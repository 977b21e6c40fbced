/** What a layer source would hand to an upload. */

import { readFile } from 'node:fs/promises';
import type { LayerSource } from '../../src/index.ts';
import type { FileRange } from '../../src/layer/ports.ts';

export async function readBytes({
  path,
  offsetBytes,
  sizeBytes,
}: Pick<FileRange, 'path' | 'offsetBytes' | 'sizeBytes'>): Promise<Buffer> {
  const bytes = (await readFile(path)).subarray(offsetBytes, offsetBytes + sizeBytes);
  if (bytes.length !== sizeBytes) throw new Error(`${path} is shorter than was said`);
  return bytes;
}

/** Reads a source as an upload does: by its path where it has one. */
export async function readSource(source: LayerSource): Promise<Buffer> {
  const { signal } = new AbortController();
  const open = await source.open(signal);
  try {
    const { path, pathOffsetBytes: offsetBytes = 0, sizeBytes } = open;
    if (sizeBytes === undefined) throw new Error(`${source.label} does not know its size`);
    if (path !== undefined) return await readBytes({ path, offsetBytes, sizeBytes });
    const bytes = Buffer.alloc(sizeBytes);
    if ((await open.read(bytes, 0, signal)) !== sizeBytes) throw new Error('it is too short');
    return bytes;
  } finally {
    await open.close();
  }
}
