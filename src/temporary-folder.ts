import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that exists from the first time that it is asked for until it is removed. */
export class TemporaryFolder {
  readonly #parent: string;
  #path: Promise<string> | undefined;

  constructor(parent: string) {
    this.#parent = parent;
  }

  path(): Promise<string> {
    this.#path ??= mkdtemp(join(this.#parent, 'longshore-'));
    return this.#path;
  }

  /** Idempotent. What cannot be removed stays: the work is done, and the system cleans its own folder. */
  async remove(): Promise<void> {
    const path = await this.#path?.catch(() => undefined);
    if (path === undefined) return;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
