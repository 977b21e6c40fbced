/** Reads an archive's headers without its bodies. */

import { open, type FileHandle } from 'node:fs/promises';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';

export const BLOCK_BYTES = 512;
/** Read at once: headers of small files stand close together. */
const WINDOW_BYTES = 64 * BLOCK_BYTES;

export class TarBlocks {
  readonly label: string;
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowLength = 0;

  private constructor(file: FileHandle, sizeBytes: number, label: string) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.label = label;
  }

  /** Lets `use` read the file and closes it. @throws LongshoreError E_SOURCE_UNREADABLE */
  static async within<T>(
    path: string,
    label: string,
    use: (blocks: TarBlocks) => Promise<T>,
  ): Promise<T> {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw sourceUnreadable(label, error);
    });
    try {
      return await use(new TarBlocks(file, (await file.stat()).size, label));
    } finally {
      await file.close();
    }
  }

  /** The block at `position`, until the next call; shorter only at the end of the file. */
  async at(position: number, signal: AbortSignal): Promise<Buffer> {
    const start = position - this.#windowStart;
    if (start < 0 || start + BLOCK_BYTES > this.#windowLength) {
      signal.throwIfAborted();
      const rest = Math.max(0, this.sizeBytes - position);
      const length = Math.min(WINDOW_BYTES, rest);
      await this.#fill(this.#window.subarray(0, length), position);
      this.#windowStart = position;
      this.#windowLength = length;
      return this.#window.subarray(0, Math.min(BLOCK_BYTES, length));
    }
    return this.#window.subarray(start, start + BLOCK_BYTES);
  }

  /** Bytes of a body; the caller has looked at how many. */
  async body(position: number, lengthBytes: number): Promise<Buffer> {
    const bytes = Buffer.alloc(lengthBytes);
    await this.#fill(bytes, position);
    return bytes;
  }

  async #fill(target: Buffer, position: number): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      const wanted = target.length - filled;
      const { bytesRead } = await this.#file
        .read(target, filled, wanted, position + filled)
        .catch((error: unknown) => {
          throw sourceUnreadable(this.label, error);
        });
      if (bytesRead === 0) throw sourceChanged(this.label, this.sizeBytes, position + filled);
      filled += bytesRead;
    }
  }
}
