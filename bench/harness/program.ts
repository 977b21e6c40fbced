/** The programs a benchmark starts, compiled once into a folder that nobody else writes to. */

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { cleanUpAtExit } from './cleanup.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const SOURCES = {
  server: 'bench/programs/emulator-server.ts',
  longshore: 'bench/programs/longshore-client.ts',
  'longshore-image': 'bench/programs/longshore-image.ts',
  'plain-sdk': 'bench/rivals/plain-sdk.ts',
  'bare-writer': 'bench/floors/bare-writer.ts',
  stages: 'bench/floors/stages.ts',
  'hash-threads': 'bench/programs/hash-threads.ts',
  'import-time': 'bench/programs/import-time.ts',
  'thread-profiler': 'bench/programs/thread-profiler.ts',
  'sync-target': 'bench/programs/sync-target.ts',
  'corpus-server': 'bench/programs/corpus-server.ts',
} as const;

export type ProgramName = keyof typeof SOURCES;

/** Where each program's file is. */
export interface Programs {
  readonly files: Readonly<Record<ProgramName, string>>;
  /** Removes them. Done at exit as well. */
  remove(): void;
}

/**
 * Copies the compiled library into a temporary folder and compiles the programs beside it. They run
 * on plain Node, as a user's program would: a loader would add its own time and memory to the
 * figures. The copy keeps a run whole when the library is built anew meanwhile. Inside the folder
 * `longshore` means the copy, because a package may import itself by name.
 */
export async function compilePrograms(): Promise<Programs> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
  const remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  await build({
    entryPoints: Object.values(SOURCES).map((source) => join(ROOT, source)),
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const fileOf = (name: ProgramName): string =>
    join(folder, basename(SOURCES[name]).replace(/\.ts$/, '.js'));
  return {
    files: {
      server: fileOf('server'),
      longshore: fileOf('longshore'),
      'longshore-image': fileOf('longshore-image'),
      'plain-sdk': fileOf('plain-sdk'),
      'bare-writer': fileOf('bare-writer'),
      stages: fileOf('stages'),
      'hash-threads': fileOf('hash-threads'),
      'import-time': fileOf('import-time'),
      'thread-profiler': fileOf('thread-profiler'),
      'sync-target': fileOf('sync-target'),
      'corpus-server': fileOf('corpus-server'),
    },
    remove,
  };
}
