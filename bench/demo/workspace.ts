/** A place for the demo's files that is gone afterwards, whatever happens. */

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Workspace extends AsyncDisposable {
  readonly directory: string;
}

export async function createWorkspace(): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'longshore-demo-'));
  // Windows keeps files of a process that is just ending locked for a moment.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;
  const removeAtOnce = (): void => rmSync(directory, options);
  process.on('exit', removeAtOnce);
  return {
    directory,
    [Symbol.asyncDispose]: async () => {
      await rm(directory, options);
      process.off('exit', removeAtOnce);
    },
  };
}

/** Aborts with the first Ctrl-C; the second one ends the process in the usual way. */
export function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return controller.signal;
}
