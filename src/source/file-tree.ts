/** Files by their names within an image: in a folder, or in an archive. */

import { open } from 'node:fs/promises';
import { imageInvalid } from '../image/image-errors.ts';
import type { FileRange } from '../layer/ports.ts';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';

/** Where the bytes of one file are. */
export interface TreeFile extends FileRange {
  /** Whether there are two of that name, of which this is the last. */
  readonly isRepeated: boolean;
}

export interface FileTree {
  /** The source's label. */
  readonly label: string;
  /**
   * The file of that name, written with slashes; `undefined` if there is none. Links are followed as
   * long as they stay within the tree. Synchronous and cheap: nothing is read.
   * @throws LongshoreError E_IMAGE_INVALID for what leads out of the tree or is no regular file;
   * E_SOURCE_UNREADABLE
   */
  find(name: string): TreeFile | undefined;
}

/** Largest manifest, `index.json` or `manifest.json` that is read: ECR takes none larger. */
export const DOCUMENT_BYTES_MAX: number = 4 * 1024 * 1024;
/** Largest config that is read: of an image with a long history it can be larger than a manifest. */
export const CONFIG_BYTES_MAX: number = 8 * 1024 * 1024;

/**
 * Reads a small file whole.
 * @throws LongshoreError E_IMAGE_INVALID before a byte is read if it is too large, or ambiguous
 */
export async function readDocument(
  tree: FileTree,
  name: string,
  sizeMaxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const file = tree.find(name);
  if (file === undefined) return undefined;
  // Readers disagree on which of the two counts; blobs are told apart by their digest.
  if (file.isRepeated) throw imageInvalid(tree.label, name, 'there are two files of that name');
  if (file.sizeBytes > sizeMaxBytes) {
    const problem = `it has ${file.sizeBytes} bytes, more than the ${sizeMaxBytes} that are read`;
    throw imageInvalid(tree.label, name, problem);
  }
  return readRange(file, signal);
}

/** @throws LongshoreError E_SOURCE_UNREADABLE, E_SOURCE_CHANGED */
export async function readRange(range: FileRange, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const { path, offsetBytes, sizeBytes, label } = range;
  const bytes = new Uint8Array(sizeBytes);
  let filled = 0;
  try {
    await using file = await open(path, 'r');
    while (filled < sizeBytes) {
      const rest = sizeBytes - filled;
      const { bytesRead } = await file.read(bytes, filled, rest, offsetBytes + filled);
      signal.throwIfAborted();
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : sourceUnreadable(label, error);
  }
  if (filled < sizeBytes) throw sourceChanged(label, sizeBytes, filled);
  return bytes;
}
