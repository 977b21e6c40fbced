/** The folder of all journals: a file a layer, named by what makes an upload the same one. */

import { createHash } from 'node:crypto';
import { mkdir, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  JournalIdentity,
  LayerJournal,
  LayerJournals,
  OnJournalProblem,
} from '../layer/layer-journal.ts';
import { openFolderJournal, unwritableText } from './folder-journal.ts';
import { isHeld, takeLock } from './journal-lock.ts';
import { ownMark, type ProcessMark } from './process-mark.ts';

/**
 * Journals not written to for so long are removed. How long ECR keeps an open upload is documented
 * nowhere; 12 hours is the longest that anybody claims (L). Too long a guess costs one part.
 */
export const JOURNAL_AGE_MAX_MS: number = 48 * 60 * 60 * 1000;

/** Files looked at when old ones are removed, once an uploader. */
const SWEPT_FILES_MAX = 1000;

const FILE_NAME = /^[0-9a-f]{64}\.(journal|[0-9a-f.]+\.lock)$/;

export interface JournalFolderOptions {
  readonly path: string;
  /** What tells registries apart: endpoint, region, account. */
  readonly registry: readonly (string | undefined)[];
  /** Default: the system's clock. */
  readonly now?: () => number;
}

export class JournalFolder implements LayerJournals {
  readonly #path: string;
  readonly #registry: readonly (string | undefined)[];
  readonly #now: () => number;
  #mark: Promise<ProcessMark> | undefined;
  #tidied: Promise<void> | undefined;

  /** Nothing is touched before the first `open`. */
  constructor({ path, registry, now = Date.now }: JournalFolderOptions) {
    this.#path = path;
    this.#registry = registry;
    this.#now = now;
  }

  async open(
    identity: JournalIdentity,
    onProblem: OnJournalProblem,
  ): Promise<LayerJournal | undefined> {
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      this.#mark ??= ownMark();
      const mark = await this.#mark;
      // Before anything is read: what is too old must not be gone on with.
      this.#tidied ??= this.#removeOld(mark);
      await this.#tidied;
      const key = this.#keyOf(identity);
      const path = join(this.#path, `${key}.journal`);
      const lock = await takeLock(this.#path, key, mark, path, this.#now());
      if (lock === undefined) {
        onProblem('in-use', `${path} is in use by another upload of the same layer`);
        return undefined;
      }
      return await openFolderJournal({ path, repository: identity.repository, lock, onProblem });
    } catch (error) {
      onProblem('unwritable', unwritableText(this.#path, error));
      return undefined;
    }
  }

  #keyOf(identity: JournalIdentity): string {
    const { repository } = identity;
    const layer =
      'digest' in identity
        ? [identity.digest]
        : [identity.path, identity.offsetBytes, identity.sizeBytes];
    const parts = [...this.#registry.map((part) => part ?? null), repository, ...layer];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  async #removeOld(mark: ProcessMark): Promise<void> {
    const oldestMs = this.#now() - JOURNAL_AGE_MAX_MS;
    let count = 0;
    try {
      for await (const { name } of await opendir(this.#path)) {
        count += 1;
        if (count > SWEPT_FILES_MAX) return;
        if (!FILE_NAME.test(name)) continue;
        await removeIfOld(join(this.#path, name), oldestMs, mark);
      }
    } catch {
      // The folder is not ours to read: the next start may.
    }
  }
}

/** Somebody else may tidy as well, or it is not ours to tidy: that says nothing of the other files. */
async function removeIfOld(path: string, oldestMs: number, mark: ProcessMark): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (mtimeMs >= oldestMs || (await isHeld(path, mark))) return;
    await rm(path, { force: true });
  } catch {
    // The next start may.
  }
}
