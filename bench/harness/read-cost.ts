/** What the kernel asks for a file's bytes: tells whether a file of holes reads like one of bytes. */

import { open } from 'node:fs/promises';
import { LayerFiles } from './layer-files.ts';

const SIZE_BYTES: number = 64 * 2 ** 20;
/** What longshore reads at once. */
const READ_SIZE_BYTES: number = 768 * 1024;

export interface ReadCost {
  /** CPU milliseconds a GiB. */
  readonly sparseMs: number;
  readonly randomMs: number;
}

/** Reads a file of each kind, both as warm as files in a benchmark are. */
export async function measureReadCost(): Promise<ReadCost> {
  await using files = new LayerFiles();
  const sparse = await files.createSparse(SIZE_BYTES);
  const random = await files.createRandom(SIZE_BYTES);
  return { sparseMs: await readMs(sparse.path), randomMs: await readMs(random.path) };
}

async function readMs(path: string): Promise<number> {
  const block = Buffer.alloc(READ_SIZE_BYTES);
  const file = await open(path);
  const before = process.cpuUsage();
  try {
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length, null);
      if (bytesRead === 0) break;
    }
  } finally {
    await file.close();
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000) * (2 ** 30 / SIZE_BYTES);
}
