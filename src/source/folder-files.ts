/** The files of a folder, none of them outside of it whatever the links in it say. */

import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { imageInvalid } from '../image/image-errors.ts';
import type { FileRange } from '../layer/ports.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import type { ImageFiles } from './image-files.ts';

/** @throws LongshoreError E_SOURCE_UNREADABLE */
export async function openFolder(path: string, label: string): Promise<ImageFiles> {
  let root: string;
  try {
    root = await realpath(path);
    if (!(await stat(root)).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    throw sourceUnreadable(label, error, 'give the folder of an OCI image layout');
  }
  return new FolderFiles(root, label);
}

class FolderFiles implements ImageFiles {
  readonly label: string;
  readonly #root: string;
  readonly #inside: string;

  constructor(root: string, label: string) {
    this.label = label;
    this.#root = root;
    this.#inside = root.endsWith(sep) ? root : `${root}${sep}`;
  }

  async find(path: string): Promise<FileRange | undefined> {
    const label = `${this.label}: ${path}`;
    try {
      // Links are followed here once and for all: what is checked is what will be read.
      const real = await realpath(join(this.#root, path));
      if (!real.startsWith(this.#inside)) {
        throw imageInvalid(this.label, path, 'it is a symbolic link out of the folder');
      }
      const found = await stat(real);
      if (!found.isFile()) throw imageInvalid(this.label, path, 'it is not a regular file');
      return { path: real, offsetBytes: 0, sizeBytes: found.size, label };
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      if (code === 'ELOOP')
        throw imageInvalid(this.label, path, 'its symbolic links form a loop', error);
      throw sourceUnreadable(label, error);
    }
  }
}
