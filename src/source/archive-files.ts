/** The files of a tar archive, read where they stand. */

import { posix } from 'node:path';
import { imageInvalid } from '../image/image-errors.ts';
import { printable } from '../image/json-document.ts';
import type { FileRange } from '../layer/ports.ts';
import type { ImageFiles } from './image-files.ts';
import { indexTar, type TarIndex, type TarMember } from './tar-index.ts';

/** Links that are followed for one name, as the Linux kernel does. */
const LINKS_MAX = 40;

/**
 * @param path an uncompressed tar, which must not change before the image is closed
 * @throws LongshoreError E_IMAGE_INVALID, E_SOURCE_UNREADABLE
 */
export async function openArchiveFiles(
  path: string,
  label: string,
  signal: AbortSignal,
): Promise<ArchiveFiles> {
  return new ArchiveFiles(path, label, await indexTar(path, label, signal));
}

export class ArchiveFiles implements ImageFiles {
  readonly label: string;
  readonly #path: string;
  readonly #index: TarIndex;

  constructor(path: string, label: string, index: TarIndex) {
    this.#path = path;
    this.label = label;
    this.#index = index;
  }

  /** Whether there is something of that name; it may be a link into nowhere. */
  has(name: string): boolean {
    return this.#index.has(name);
  }

  async find(name: string): Promise<FileRange | undefined> {
    const member = this.#resolve(posix.normalize(name), name, 0);
    if (member === undefined) return Promise.resolve(undefined);
    if (member.kind !== 'file') throw this.#problem(name, 'it is not a regular file');
    // Of blobs any will do that has the right digest; of other files, readers disagree which one counts.
    if (member.isRepeated && !name.startsWith('blobs/')) {
      throw this.#problem(name, 'it is in the archive twice');
    }
    const { offsetBytes, sizeBytes } = member;
    const label = `${this.label}: ${printable(name)}`;
    return Promise.resolve({ path: this.#path, offsetBytes, sizeBytes, label });
  }

  /** Follows links, those of the folders on the way included. @param asked for messages */
  #resolve(name: string, asked: string, linkCount: number): TarMember | undefined {
    if (linkCount > LINKS_MAX) throw this.#problem(asked, 'its links form a loop');
    for (let end = name.indexOf('/'); end >= 0; end = name.indexOf('/', end + 1)) {
      const folder = this.#index.get(name.slice(0, end));
      if (folder?.kind === 'link') return this.#follow(folder, name.slice(end), asked, linkCount);
    }
    const member = this.#index.get(name);
    return member?.kind === 'link' ? this.#follow(member, '', asked, linkCount) : member;
  }

  #follow(
    { target }: Extract<TarMember, { kind: 'link' }>,
    rest: string,
    asked: string,
    linkCount: number,
  ): TarMember | undefined {
    if (target === undefined) throw this.#problem(asked, 'it is a link out of the archive');
    return this.#resolve(`${target}${rest}`, asked, linkCount + 1);
  }

  #problem(name: string, problem: string): Error {
    return imageInvalid(this.label, printable(name), problem);
  }
}
