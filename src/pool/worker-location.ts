import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LongshoreError } from '../errors.ts';

/**
 * Where the compiled worker file is: as given, or beside this file's compiled tree.
 * @throws LongshoreError E_WORKER_NOT_FOUND, which names the remedies
 */
export function locateWorker(workerUrl: URL | string | undefined): string {
  const path = workerUrl === undefined ? besideThisFile() : pathOf(workerUrl);
  if (path !== undefined && existsSync(path)) return path;
  throw workerNotFound(path ?? 'layer.worker.cjs');
}

export function workerNotFound(
  path: string,
  cause?: unknown,
): LongshoreError<'E_WORKER_NOT_FOUND'> {
  return new LongshoreError(
    'E_WORKER_NOT_FOUND',
    `longshore's worker file, or piscina beside it, is not at ${path}. If you bundle your program, ` +
      "either mark 'longshore' and 'piscina' external, or pass the option workerUrl with the place " +
      "of the file that 'longshore/worker' resolves to in node_modules",
    { workerUrl: path },
    { cause },
  );
}

function besideThisFile(): string | undefined {
  // Undefined in a CommonJS bundle, whatever the types say.
  const here: string | undefined = import.meta.url;
  if (here === undefined) return undefined;
  // The sources, as tests load them, use the compiled worker too.
  const path = here.endsWith('.ts')
    ? '../../dist/workers/layer.worker.cjs'
    : '../../workers/layer.worker.cjs';
  return fileURLToPath(new URL(path, here));
}

function pathOf(workerUrl: URL | string): string {
  const isUrl = workerUrl instanceof URL || workerUrl.startsWith('file:');
  return isUrl ? fileURLToPath(workerUrl) : workerUrl;
}
