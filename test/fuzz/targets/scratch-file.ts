/** One file in a folder of its own, written anew for every input. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenTarget } from '../fuzz-target.ts';

/** @param run is given the file's path and its folder */
export function withScratchFile(
  name: string,
  run: (path: string, folder: string, input: Buffer) => string | Promise<string>,
): OpenTarget {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-fuzz-'));
  const path = join(folder, name);
  return {
    run: (input) => {
      writeFileSync(path, input);
      return run(path, folder, input);
    },
    close: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
