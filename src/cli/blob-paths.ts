/** The blobs of an image whose manifest is given by itself: where the file of each digest is. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../index.ts';
import type { BlobPath } from './option-values.ts';
import { UsageError } from './usage-error.ts';

const HEX = /^[0-9a-f]{64}$/;
const ALGORITHM = 'sha256';

/**
 * @param directory holds files named by the hexadecimal digits of their digests, itself or in `sha256/`
 * @throws UsageError
 */
export function blobPathsOf(
  given: readonly BlobPath[],
  directory: string | undefined,
): Record<Digest, string> {
  const paths: Record<Digest, string> = directory === undefined ? {} : scan(directory);
  const seen = new Set<Digest>();
  for (const { digest, path } of given) {
    if (seen.has(digest)) throw new UsageError(`--blob: ${digest} is given twice`);
    seen.add(digest);
    paths[digest] = path;
  }
  return paths;
}

function scan(directory: string): Record<Digest, string> {
  const paths: Record<Digest, string> = {};
  const names = namesIn(directory);
  const collect = (folder: string, found: readonly string[]): void => {
    for (const name of found) if (HEX.test(name)) paths[`sha256:${name}`] = join(folder, name);
  };
  collect(directory, names);
  if (names.includes(ALGORITHM)) {
    const folder = join(directory, ALGORITHM);
    collect(folder, namesIn(folder));
  }
  return paths;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the folder of --blob-directory: ${reason}`);
  }
}
