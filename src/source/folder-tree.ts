import { realpathSync, statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { imageInvalid } from '../image/image-errors.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import type { FileTree, TreeFile } from './file-tree.ts';

/** A folder on disk, which no name and no link leads out of. */
export class FolderTree implements FileTree {
  readonly label: string;
  readonly #root: string;

  private constructor(root: string, label: string) {
    this.label = label;
    this.#root = root;
  }

  /** @throws LongshoreError E_SOURCE_UNREADABLE */
  static async open(path: string, label: string): Promise<FolderTree> {
    try {
      const root = await realpath(path);
      if (!(await stat(root)).isDirectory()) throw new Error('it is not a folder');
      return new FolderTree(root, label);
    } catch (error) {
      throw sourceUnreadable(label, error, 'give the folder of an OCI image layout');
    }
  }

  find(name: string): TreeFile | undefined {
    const label = `${this.label}: ${name}`;
    try {
      // One system call instead of one for each component; its answer has no links left.
      const path = realpathSync.native(join(this.#root, name));
      const root = this.#root.endsWith(sep) ? this.#root : this.#root + sep;
      if (!path.startsWith(root)) {
        throw imageInvalid(this.label, name, 'it is a symbolic link out of the folder');
      }
      const found = statSync(path);
      if (!found.isFile()) throw imageInvalid(this.label, name, 'it is not a regular file');
      return { path, offsetBytes: 0, sizeBytes: found.size, label, isRepeated: false };
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      if (code === 'ELOOP') throw imageInvalid(this.label, name, 'its symbolic links form a loop');
      throw sourceUnreadable(label, error);
    }
  }
}
