/** What is where in a tar archive. Headers are read, bodies are skipped. */

import { posix } from 'node:path';
import { Header, type HeaderData, Pax } from 'tar';
import { imageInvalid } from '../image/image-errors.ts';
import { printable } from '../image/json-document.ts';
import { KIB, MIB } from '../limits.ts';
import { BLOCK_BYTES, TarBlocks } from './tar-blocks.ts';

/** Bytes in the archive, or another name for them. */
export type TarMember =
  | {
      readonly kind: 'file';
      readonly offsetBytes: number;
      readonly sizeBytes: number;
      /** Not the last one of its name is meant, but it is not the only one. */
      readonly isRepeated: boolean;
    }
  /** `target` is `undefined` where it leads out of the archive. */
  | { readonly kind: 'link'; readonly target: string | undefined; readonly isRepeated: boolean }
  /** Devices, sockets and sparse files, which no image is made of. */
  | { readonly kind: 'other'; readonly isRepeated: boolean };

/** By name, without folders. */
export type TarIndex = ReadonlyMap<string, TarMember>;

/** Images have a few files for each layer; this also bounds the time that indexing takes. */
const ENTRIES_MAX = 100_000;
const NAME_BYTES_MAX = 4 * KIB;
/** Of all names, since they stay in memory. */
const NAMES_BYTES_MAX = 32 * MIB;
/** A pax header; what it may hold beside name and size does not matter here. */
const EXTENSION_BYTES_MAX = MIB;

/** Types that have no body, whatever their size says. */
const BODILESS: ReadonlySet<string> = new Set([
  'Link',
  'SymbolicLink',
  'CharacterDevice',
  'BlockDevice',
  'Directory',
  'FIFO',
]);
const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

/** @throws LongshoreError E_IMAGE_INVALID, E_SOURCE_UNREADABLE */
export function indexTar(path: string, label: string, signal: AbortSignal): Promise<TarIndex> {
  return TarBlocks.within(path, label, (blocks) => new TarIndexer(blocks, signal).index());
}

class TarIndexer {
  readonly #blocks: TarBlocks;
  readonly #signal: AbortSignal;
  readonly #members = new Map<string, TarMember>();
  #namesBytes = 0;
  /** What extension headers say of all that follows, and of the next one. */
  #ofAll: HeaderData | undefined;
  #ofNext: HeaderData | undefined;
  #isNextSparse = false;

  constructor(blocks: TarBlocks, signal: AbortSignal) {
    this.#blocks = blocks;
    this.#signal = signal;
  }

  async index(): Promise<TarIndex> {
    let position = 0;
    for (let count = 0; ; count += 1) {
      const block = await this.#blocks.at(position, this.#signal);
      // Some tools leave out the blocks of zeros at the end.
      if (block.length === 0 && count > 0) break;
      const header = this.#header(block, position);
      if (header === undefined) break;
      if (count >= ENTRIES_MAX) throw this.#problem(`it has more than ${ENTRIES_MAX} entries`);
      position = await this.#take(header, position);
    }
    return this.#members;
  }

  /** `undefined` at the end of the archive. */
  #header(block: Buffer, position: number): Header | undefined {
    if (block.length < BLOCK_BYTES) throw this.#damaged(position);
    let header: Header;
    try {
      header = new Header(block, 0, this.#ofNext, this.#ofAll);
    } catch (error) {
      throw this.#problem(`its entry at byte ${position} has a number out of range`, error);
    }
    if (header.nullBlock) return undefined;
    if (!header.cksumValid) throw this.#damaged(position);
    return header;
  }

  /** Resolves with where the next header is. */
  async #take(header: Header, position: number): Promise<number> {
    const { type, size } = header;
    const bodyPosition = position + BLOCK_BYTES;
    const sizeBytes = BODILESS.has(type) ? 0 : size;
    if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes)) {
      throw this.#problem(`its entry at byte ${position} has a size that is none`);
    }
    const nextPosition = bodyPosition + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (nextPosition > this.#blocks.sizeBytes) {
      const problem = `it has ${this.#blocks.sizeBytes} bytes, and its entry at byte ${position} would go on after them`;
      throw this.#problem(`${problem}; it is cut off`);
    }
    if (!(await this.#extend(type, bodyPosition, sizeBytes))) {
      this.#add(header, bodyPosition, sizeBytes);
      this.#ofNext = undefined;
      this.#isNextSparse = false;
    }
    return nextPosition;
  }

  /** Takes up what an extension header says; false for everything else. */
  async #extend(type: string, position: number, sizeBytes: number): Promise<boolean> {
    switch (type) {
      case 'ExtendedHeader':
      case 'OldExtendedHeader':
        return this.#extendNext(await this.#text(position, sizeBytes));
      case 'GlobalExtendedHeader':
        this.#ofAll = Pax.parse(await this.#text(position, sizeBytes), this.#ofAll, true);
        return true;
      case 'NextFileHasLongPath':
      case 'OldGnuLongPath':
        this.#ofNext = { ...this.#ofNext, path: await this.#name(position, sizeBytes) };
        return true;
      case 'NextFileHasLongLinkpath':
        this.#ofNext = { ...this.#ofNext, linkpath: await this.#name(position, sizeBytes) };
        return true;
      default:
        return false;
    }
  }

  #extendNext(text: string): true {
    this.#ofNext = Pax.parse(text, this.#ofNext);
    // GNU tar's way to leave out zeros: the bytes that stand here are not those of the file.
    this.#isNextSparse ||= text.includes(' GNU.sparse.');
    return true;
  }

  async #text(position: number, sizeBytes: number): Promise<string> {
    if (sizeBytes > EXTENSION_BYTES_MAX) {
      throw this.#problem(`it has a header of more than ${EXTENSION_BYTES_MAX} bytes`);
    }
    return (await this.#blocks.body(position, sizeBytes)).toString('utf8');
  }

  async #name(position: number, sizeBytes: number): Promise<string> {
    const text = await this.#text(position, sizeBytes);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }

  #add(header: Header, offsetBytes: number, sizeBytes: number): void {
    const { type, path = '' } = header;
    // What an extended header says; the header's own field is cut off at 100 bytes.
    const linkpath = this.#ofNext?.linkpath ?? header.linkpath ?? '';
    const nameBytes = Buffer.byteLength(path) + Buffer.byteLength(linkpath);
    this.#namesBytes += nameBytes;
    if (nameBytes > NAME_BYTES_MAX) {
      throw this.#problem(`it has a name of more than ${NAME_BYTES_MAX} bytes`);
    }
    if (this.#namesBytes > NAMES_BYTES_MAX) {
      throw this.#problem(`its names have more than ${NAMES_BYTES_MAX} bytes`);
    }
    const name = nameWithin(path);
    if (name === undefined) {
      throw this.#problem(`its entry "${printable(path)}" leads out of it`);
    }
    if (type === 'Directory' || type === 'GNUDumpDir') return;
    const isRepeated = this.#members.has(name);
    if (FILES.has(type) && !this.#isNextSparse) {
      this.#members.set(name, { kind: 'file', offsetBytes, sizeBytes, isRepeated });
    } else if (type === 'Link') {
      this.#members.set(name, { kind: 'link', target: nameWithin(linkpath), isRepeated });
    } else if (type === 'SymbolicLink') {
      const target = linkpath.startsWith('/') ? undefined : `${posix.dirname(name)}/${linkpath}`;
      const within = target === undefined ? undefined : nameWithin(posix.normalize(target));
      this.#members.set(name, { kind: 'link', target: within, isRepeated });
    } else {
      this.#members.set(name, { kind: 'other', isRepeated });
    }
  }

  #damaged(position: number): Error {
    if (position === 0) {
      const remedy = 'give an OCI layout in a tar, or what docker save writes';
      return this.#problem('it is not a tar archive', undefined, remedy);
    }
    return this.#problem(`it is damaged at byte ${position}: no entry begins there`);
  }

  #problem(problem: string, cause?: unknown, remedy?: string): Error {
    return imageInvalid(this.#blocks.label, 'the archive', problem, cause, remedy);
  }
}

/** The name in its shortest form; `undefined` for one that leads out of the archive. */
function nameWithin(path: string): string | undefined {
  if (path.startsWith('/') || path.split('/').includes('..')) return undefined;
  return posix.normalize(path).replace(/\/$/, '');
}
