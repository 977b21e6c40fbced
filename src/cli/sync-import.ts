/** `longshore sync --import`: turns another tool's file into a configuration of ours. */

import { readFile } from 'node:fs/promises';
import type { CliContext } from './context.ts';
import { EXIT_DONE } from './exit-code.ts';
import { printable } from './progress/text-fit.ts';
import type { SyncFunctions } from './sync-functions.ts';
import { UsageError } from './usage-error.ts';

/** @returns the exit code */
export async function importConfig(
  context: Pick<CliContext, 'stdout' | 'stderr'>,
  sync: Pick<SyncFunctions, 'importSkopeo' | 'importRegsync'>,
  tool: 'skopeo' | 'regsync',
  file: string,
): Promise<number> {
  const given = await read(file);
  const { text, notes } = tool === 'skopeo' ? sync.importSkopeo(given) : sync.importRegsync(given);
  context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  // Not for --quiet to hide: what is lost has to be known.
  for (const note of notes) context.stderr.write(`note: ${printable(note)}\n`);
  return EXIT_DONE;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the file to import: ${reason}`);
  }
}
