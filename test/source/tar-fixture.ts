/** Writes tar archives as tests need them, wrong ones included. */

import { Header, Pax } from 'tar';

export interface TarEntry {
  readonly path: string;
  readonly body?: Uint8Array | string;
  /** Default `File`, or `Directory` for a path that ends in a slash. */
  readonly type?: 'File' | 'Directory' | 'Link' | 'SymbolicLink' | 'NextFileHasLongPath';
  /** Where a link leads. */
  readonly linkpath?: string;
  /** What the header says; default: the body's length. */
  readonly sizeBytes?: number;
  /** Puts path, link and size into a pax header. */
  readonly usesPax?: boolean;
}

const BLOCK_BYTES = 512;
/** Two blocks of zeros, which end an archive. */
export const ARCHIVE_END: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), ARCHIVE_END]);
}

/** Header and body of one entry, filled up to whole blocks. */
export function tarEntry(entry: TarEntry): Buffer {
  const { path, linkpath = '', usesPax = false } = entry;
  const body = Buffer.from(entry.body ?? '');
  const size = entry.sizeBytes ?? body.length;
  const type = entry.type ?? (path.endsWith('/') ? 'Directory' : 'File');
  const said = { path, linkpath, size };
  const pax = usesPax ? new Pax(said).encode() : Buffer.alloc(0);
  const block = Buffer.alloc(BLOCK_BYTES);
  const short = usesPax ? { path: 'said-before', linkpath: '', size: 0 } : said;
  new Header({ ...short, type, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }).encode(block);
  return Buffer.concat([pax, block, padded(body)]);
}

/** An entry whose path GNU tar would put before it, as a file of its own. */
export function gnuLongEntry(path: string, body: Uint8Array): Buffer {
  const name = { path: '././@LongLink', body: `${path}\0`, type: 'NextFileHasLongPath' } as const;
  return Buffer.concat([tarEntry(name), tarEntry({ path: path.slice(0, 99), body })]);
}

/** Puts the right checksum into a header that was tampered with. */
export function withChecksum(header: Buffer): Buffer {
  const block = Buffer.from(header);
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block.subarray(0, BLOCK_BYTES)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(body: Buffer): Buffer {
  const missing = (BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return Buffer.concat([body, Buffer.alloc(missing)]);
}
