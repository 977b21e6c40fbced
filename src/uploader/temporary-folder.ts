import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LongshoreError, systemCodeOf } from '../errors.ts';

/** A folder that exists from the first time that it is asked for until it is removed. */
export class TemporaryFolder {
  readonly #parent: string;
  #path: Promise<string> | undefined;

  constructor(parent: string) {
    this.#parent = parent;
  }

  /** @throws LongshoreError E_TEMPORARY_UNWRITABLE */
  path(): Promise<string> {
    this.#path ??= mkdtemp(join(this.#parent, 'longshore-')).catch((error: unknown) => {
      throw unwritable(this.#parent, error);
    });
    return this.#path;
  }

  /** Idempotent. What cannot be removed stays: the work is done, and the system cleans its own folder. */
  async remove(): Promise<void> {
    const path = await this.#path?.catch(() => undefined);
    if (path === undefined) return;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function unwritable(parent: string, cause: unknown): LongshoreError<'E_TEMPORARY_UNWRITABLE'> {
  const systemCode = systemCodeOf(cause);
  return new LongshoreError(
    'E_TEMPORARY_UNWRITABLE',
    `cannot make a folder in the temporary directory ${parent}: ${String(systemCode ?? cause)}; ` +
      'choose another one (temporaryDirectory, TMPDIR)',
    systemCode === undefined ? {} : { systemCode },
    { cause },
  );
}
