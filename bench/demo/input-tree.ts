/** Finds real files to make layers of: what a machine with Node.js and this project has anyway. */

import { realpathSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Files that become one layer. */
export interface InputTree {
  /** Of the layer's file, without the ending. */
  readonly name: string;
  readonly directory: string;
  /** What it is, for people: a path within this project, or on this machine. */
  readonly origin: string;
  /** Names within `directory`. */
  readonly entries: readonly string[];
  /** Gzip level: 1 is the quickest that compresses, 0 only wraps. */
  readonly level: 0 | 1;
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The trees that exist here, in no particular order of size. */
export async function findInputTrees(): Promise<InputTree[]> {
  const binary = realpathSync(process.execPath);
  const prefix = process.platform === 'win32' ? dirname(binary) : dirname(dirname(binary));
  const globalModules =
    process.platform === 'win32'
      ? join(prefix, 'node_modules')
      : join(prefix, 'lib', 'node_modules');
  const modules = join(PROJECT, 'node_modules');
  const packages = (await namesIn(modules)).filter((name) => !name.startsWith('.'));
  const scoped = packages.filter((name) => name.startsWith('@'));
  const plain = packages.filter((name) => !name.startsWith('@'));
  const candidates: InputTree[] = [
    tree('node-binary', binary, dirname(binary), [basename(binary)], 1),
    tree('node-headers', join(prefix, 'include', 'node'), join(prefix, 'include'), ['node'], 1),
    tree('npm', join(globalModules, 'npm'), globalModules, ['npm'], 1),
    tree('packages-scoped', 'node_modules/@*', modules, scoped, 0),
    tree('packages', 'node_modules/[!@]*', modules, plain, 1),
    tree('longshore', 'src, dist, bench', PROJECT, ['src', 'dist', 'bench'], 1),
  ];
  const present = await Promise.all(candidates.map(withExistingEntries));
  return present.filter((found) => found.entries.length > 0);
}

/** What a change adds to an image: a small layer on top. */
export async function findLateTree(): Promise<InputTree> {
  const entries = ['README.md', 'CHANGELOG.md', 'ARCHITECTURE.md', 'package.json'];
  return withExistingEntries(tree('documents', entries.join(', '), PROJECT, entries, 1));
}

function tree(
  name: string,
  origin: string,
  directory: string,
  entries: readonly string[],
  level: 0 | 1,
): InputTree {
  return { name, origin, directory, entries, level };
}

async function withExistingEntries(candidate: InputTree): Promise<InputTree> {
  const entries: string[] = [];
  for (const entry of candidate.entries) {
    const found = await stat(join(candidate.directory, entry)).catch(() => undefined);
    if (found !== undefined) entries.push(entry);
  }
  return { ...candidate, entries };
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
