/**
 * Which modules a program loads, and how many threads it starts, told by V8's own coverage files:
 * each thread writes one, with every script it ran. Nothing is hooked, so nothing is disturbed.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CoverageListing {
  readonly threadCount: number;
  /** URLs of files and names of built-in modules, of all threads. */
  readonly scripts: readonly string[];
}

/** Reads what a process that ran with `NODE_V8_COVERAGE=folder` left behind. */
export function readCoverageListing(folder: string): CoverageListing {
  const files = readdirSync(folder);
  const scripts = files.flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      readonly result: readonly { readonly url: string }[];
    };
    return result.map(({ url }) => url);
  });
  return { threadCount: files.length, scripts };
}
