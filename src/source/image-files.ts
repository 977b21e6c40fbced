/** The files that an image is made of, in a folder or in an archive. */

import { open } from 'node:fs/promises';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { imageInvalid } from '../image/image-errors.ts';
import { printable } from '../image/json-document.ts';
import type { FileRange } from '../layer/ports.ts';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';

export interface ImageFiles {
  /** The image source's, for messages. */
  readonly label: string;
  /**
   * Where the bytes of a regular file are; `undefined` if there is no such file.
   * @param path relative, with slashes
   * @throws LongshoreError E_IMAGE_INVALID for what is no regular file, or leads out;
   * E_SOURCE_UNREADABLE
   */
  find(path: string): Promise<FileRange | undefined>;
}

/**
 * Reads a small file whole; `undefined` if there is none.
 * @throws LongshoreError E_IMAGE_INVALID where it is larger than `sizeBytesMax`, unread
 */
export async function readSmallFile(
  files: ImageFiles,
  path: string,
  sizeBytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  signal.throwIfAborted();
  const range = await files.find(path);
  if (range === undefined) return undefined;
  if (range.sizeBytes > sizeBytesMax) {
    const problem = `it has ${range.sizeBytes} bytes, more than the ${sizeBytesMax} that are read`;
    throw imageInvalid(files.label, printable(path), problem);
  }
  return readRange(range, signal);
}

/** @throws LongshoreError E_IMAGE_INVALID where a file is not as large as its descriptor says */
export function assertSize(
  source: string,
  { digest, sizeBytes }: Descriptor,
  found: Pick<FileRange, 'sizeBytes'>,
): void {
  if (found.sizeBytes === sizeBytes) return;
  const problem = `it should have ${sizeBytes} bytes and has ${found.sizeBytes}`;
  throw imageInvalid(source, `blob ${digest}`, problem);
}

/** Reads bytes of a file into memory; the caller has looked at how many. */
export async function readRange(range: FileRange, signal: AbortSignal): Promise<Uint8Array> {
  const { path, offsetBytes, sizeBytes, label } = range;
  try {
    await using file = await open(path, 'r');
    const bytes = new Uint8Array(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      signal.throwIfAborted();
      const at = offsetBytes + filled;
      const { bytesRead } = await file.read(bytes, filled, sizeBytes - filled, at);
      if (bytesRead === 0) throw sourceChanged(label, offsetBytes + sizeBytes, at);
      filled += bytesRead;
    }
    return bytes;
  } catch (error) {
    signal.throwIfAborted();
    throw LongshoreError.is(error) ? error : sourceUnreadable(label, error);
  }
}
