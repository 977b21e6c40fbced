/** One layer's journal in its file, under its lock. */

import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import type {
  JournalledProgress,
  JournalledUpload,
  LayerJournal,
  OnJournalProblem,
} from '../layer/layer-journal.ts';
import type { JournalLock } from './journal-lock.ts';
import { headerLine, JOURNAL_BYTES_MAX, type JournalReading, readJournal } from './journal-text.ts';
import { JournalWriter } from './journal-writer.ts';

export interface FolderJournalOptions {
  readonly path: string;
  readonly repository: string;
  /** Released by `close`. */
  readonly lock: JournalLock;
  readonly onProblem: OnJournalProblem;
}

/** In a folder that others may write to, a link would lead to a file that is not ours to shorten. */
const NO_LINK = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;

/**
 * Reads what is there. `undefined`, with the lock released, where the file is to be left alone.
 * @throws what the file system throws, with the lock released
 */
export async function openFolderJournal(
  options: FolderJournalOptions,
): Promise<LayerJournal | undefined> {
  const { path, lock, onProblem } = options;
  try {
    const reading = await readFolderJournal(path);
    if (reading.kind === 'unknown-version') {
      onProblem('unknown-version', `${path} was written by another version of longshore`);
      await lock.release();
      return undefined;
    }
    if (reading.kind !== 'upload') {
      if (reading.kind === 'damaged') onProblem('damaged', `${path} cannot be read`);
      return new FolderJournal(options, undefined, undefined);
    }
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND | NO_LINK);
    // What was torn must go: a line behind it could never be read.
    await file.truncate(reading.validBytes).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    return new FolderJournal(
      options,
      { ...reading.upload, ...reading.progress },
      {
        file,
        checksum: reading.checksum,
      },
    );
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class FolderJournal implements LayerJournal {
  readonly found: (JournalledUpload & JournalledProgress) | undefined;
  readonly #options: FolderJournalOptions;
  #writer: JournalWriter | undefined;
  /**
   * Nobody need wait for what he asks for, so it is done one after the other: else a file would be left
   * open, or begun without the lock, or removed after the next upload began with it.
   */
  #last: Promise<void> = Promise.resolve();

  constructor(
    options: FolderJournalOptions,
    found: FolderJournal['found'],
    opened: { readonly file: FileHandle; readonly checksum: string } | undefined,
  ) {
    this.#options = options;
    this.found = found;
    if (opened !== undefined) this.#writer = this.#writerOf(opened.file, opened.checksum);
  }

  begin(upload: JournalledUpload): Promise<void> {
    return this.#next(() => this.#begin(upload));
  }

  async #begin(upload: JournalledUpload): Promise<void> {
    const { path, repository } = this.#options;
    await this.#endWriter();
    let file: FileHandle | undefined;
    try {
      const { text, checksum } = headerLine(repository, upload);
      const { O_WRONLY, O_APPEND, O_CREAT, O_TRUNC } = constants;
      file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | NO_LINK, 0o600);
      await file.appendFile(text);
      await file.sync();
      await syncFolder(dirname(path));
      this.#writer = this.#writerOf(file, checksum);
    } catch (error) {
      await file?.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
      this.#tell(error);
    }
  }

  note(progress: JournalledProgress): void {
    this.#writer?.note(progress);
  }

  discard(): Promise<void> {
    return this.#next(async () => {
      await this.#endWriter();
      await rm(this.#options.path, { force: true }).catch(() => undefined);
    });
  }

  close(): Promise<void> {
    return this.#next(async () => {
      await this.#endWriter();
      await this.#options.lock.release();
    });
  }

  /** @param step never rejects */
  #next(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step);
    return this.#last;
  }

  async #endWriter(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
  }

  #writerOf(file: FileHandle, checksum: string): JournalWriter {
    return new JournalWriter(file, checksum, (error) => this.#tell(error));
  }

  #tell(error: unknown): void {
    this.#options.onProblem('unwritable', unwritableText(this.#options.path, error));
  }
}

export function unwritableText(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `cannot keep the journal ${path}, so the layer could not be resumed from here on: ${reason}`;
}

async function readFolderJournal(path: string): Promise<JournalReading> {
  try {
    const { size } = await stat(path);
    if (size > JOURNAL_BYTES_MAX) return { kind: 'damaged' };
    return readJournal(await readFile(path));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return { kind: 'empty' };
    throw error;
  }
}

/** Makes a folder's entries last. Some systems cannot, and need not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
