import type { FileHandle } from 'node:fs/promises';
import type { JournalledProgress } from '../layer/layer-journal.ts';
import { progressLine } from './journal-text.ts';

/** What is done with an open journal. */
export type JournalFile = Pick<FileHandle, 'appendFile' | 'datasync' | 'close'>;

/**
 * Appends to a journal, one line at a time, each synced before the next. Only the furthest point counts,
 * so those that come while the disk is busy replace each other: nobody waits, and nothing queues up.
 */
export class JournalWriter {
  readonly #file: JournalFile;
  readonly #onFailure: (error: unknown) => void;
  #checksum: string;
  #pending: JournalledProgress | undefined;
  #writing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #hasFailed = false;

  /**
   * @param file open for appending; closed by `close`
   * @param checksum of its last line
   * @param onFailure called once; nothing more is written then
   */
  constructor(file: JournalFile, checksum: string, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#checksum = checksum;
    this.#onFailure = onFailure;
  }

  note(progress: JournalledProgress): void {
    if (this.#hasFailed || this.#closed !== undefined) return;
    this.#pending = progress;
    this.#writing ??= this.#write();
  }

  /** Resolves when what was noted is on disk and the file closed. Never rejects; idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #write(): Promise<void> {
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const { text, checksum } = progressLine(this.#checksum, next);
        await this.#file.appendFile(text);
        await this.#file.datasync();
        this.#checksum = checksum;
      }
    } catch (error) {
      // Half a line may be there: what would follow it could not be read any more.
      this.#hasFailed = true;
      this.#onFailure(error);
    } finally {
      this.#writing = undefined;
    }
  }

  #next(): JournalledProgress | undefined {
    const next = this.#pending;
    this.#pending = undefined;
    return next;
  }

  async #end(): Promise<void> {
    await this.#writing;
    await this.#file.close().catch(() => undefined);
  }
}
