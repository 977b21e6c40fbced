import type { BigIntStats } from 'node:fs';
import { stat, access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { LayerSource, OpenSource } from '../layer/layer-source.ts';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';

/**
 * A regular file. Worker threads read it by themselves; it may be of any size.
 * A file that grows, shrinks, is replaced or rewritten during the upload ends in E_SOURCE_CHANGED.
 * @param path absolute, or relative to the working directory at the time of the upload
 * @param options.digest the digest, if known: then the file is read once instead of twice
 * @param options.range the layer's bytes within the file, an archive say; default: all of it
 */
export function fileSource(
  path: string,
  options: {
    readonly digest?: Digest;
    readonly label?: string;
    readonly range?: { readonly offsetBytes: number; readonly sizeBytes: number };
  } = {},
): LayerSource {
  const label = options.label ?? path;
  return {
    label,
    ...(options.digest !== undefined && { digest: options.digest }),
    open: () => openFile(path, label, options.range),
  };
}

async function openFile(
  path: string,
  label: string,
  range: { readonly offsetBytes: number; readonly sizeBytes: number } | undefined,
): Promise<OpenSource> {
  const opened = await statRegularFile(path, label);
  const fileBytes = Number(opened.size);
  const endByte = range === undefined ? fileBytes : range.offsetBytes + range.sizeBytes;
  if (endByte > fileBytes) throw sourceChanged(label, endByte, fileBytes);
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw sourceUnreadable(label, error);
  });
  return {
    sizeBytes: range?.sizeBytes ?? fileBytes,
    rereadable: true,
    cheapToReread: true,
    path,
    pathOffsetBytes: range?.offsetBytes ?? 0,
    file: { path: resolve(path), stamp: stampOf(opened) },
    read: () => Promise.reject(new Error('a file is read by the workers')),
    assertUnchanged: async () => {
      const now = await statRegularFile(path, label);
      if (now.size !== opened.size) throw sourceChanged(label, fileBytes, Number(now.size));
      if (stampOf(now) !== stampOf(opened)) {
        throw new LongshoreError(
          'E_SOURCE_CHANGED',
          `${label} was rewritten or replaced while it was read; upload it again`,
          { source: label, expectedSizeBytes: fileBytes, actualSizeBytes: fileBytes },
        );
      }
    },
    close: () => Promise.resolve(),
  };
}

async function statRegularFile(path: string, label: string): Promise<BigIntStats> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw sourceUnreadable(label, error);
  });
  if (found.isDirectory()) {
    throw sourceUnreadable(label, new Error('it is a directory'), 'pack it into a tar first');
  }
  if (!found.isFile()) {
    throw sourceUnreadable(label, new Error('it is not a regular file'), 'use streamSource');
  }
  return found;
}

/** Milliseconds are too coarse for two writes in a row. */
function stampOf({ size, mtimeNs, ino, dev }: BigIntStats): string {
  return [size, mtimeNs, ino, dev].join('-');
}
