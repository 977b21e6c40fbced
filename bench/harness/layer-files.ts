/** The layers that are uploaded: files in a temporary folder, with digests of our own reckoning. */

import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from './cleanup.ts';
import type { LayerFile } from './protocol.ts';

const BLOCK_SIZE_BYTES = 4 * 1024 * 1024;
/** A program that finds no gzip in a layer may compress it, and so measure something else. */
const GZIP_START = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

export class LayerFiles implements AsyncDisposable {
  readonly folder: string;
  readonly #remove: () => void;
  #fileCount = 0;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
    this.folder = folder;
    this.#remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  }

  /**
   * Writes random bytes behind the head of a gzip file: no disk or network can compress them. They
   * stay in the page cache.
   */
  async createRandom(sizeBytes: number): Promise<LayerFile> {
    const block = Buffer.allocUnsafe(BLOCK_SIZE_BYTES);
    return this.#create(sizeBytes, async (file, digest) => {
      for (let written = 0; written < sizeBytes;) {
        const piece = block.subarray(0, Math.min(block.length, sizeBytes - written));
        randomFillSync(piece);
        if (written === 0) piece.set(GZIP_START.subarray(0, piece.length));
        digest.update(piece);
        await file.writeFile(piece);
        written += piece.length;
      }
    });
  }

  /** A file of zeros that takes no disk: what memory a client needs does not depend on the bytes. */
  async createSparse(sizeBytes: number): Promise<LayerFile> {
    const zeros = Buffer.alloc(BLOCK_SIZE_BYTES);
    return this.#create(sizeBytes, async (file, digest) => {
      await file.truncate(sizeBytes);
      for (let hashed = 0; hashed < sizeBytes; hashed += zeros.length) {
        digest.update(zeros.subarray(0, Math.min(zeros.length, sizeBytes - hashed)));
      }
    });
  }

  async #create(
    sizeBytes: number,
    fill: (file: LayerFileHandle, digest: Digester) => Promise<void>,
  ): Promise<LayerFile> {
    this.#fileCount += 1;
    const path = join(this.folder, `layer-${this.#fileCount}.bin`);
    const digest = createHash('sha256');
    const file = await open(path, 'wx');
    try {
      await fill(file, digest);
    } finally {
      await file.close();
    }
    await warmPageCache(path);
    return { path, sizeBytes, digest: `sha256:${digest.digest('hex')}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#remove();
    await Promise.resolve();
  }
}

type LayerFileHandle = Awaited<ReturnType<typeof open>>;
type Digester = ReturnType<typeof createHash>;

/** Reads the file once, so that no contestant pays for the disk and none is the first. */
async function warmPageCache(path: string): Promise<void> {
  const block = Buffer.allocUnsafe(BLOCK_SIZE_BYTES);
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length, null);
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}
