/** Finds real files to make layers of: what a machine with Node.js and this project has anyway. */

import { realpathSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Files that become one layer. */
export interface InputTree {
  /** Of the layer's file, without the ending. */
  readonly name: string;
  /** What it is, for people. */
  readonly title: string;
  readonly directory: string;
  /** Where it is, for people: within this project, or on this machine. */
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
    tree('node-binary', 'the Node.js binary', dirname(binary), [basename(binary)], 1),
    tree('node-headers', "Node.js's C headers", join(prefix, 'include'), ['node'], 1),
    tree('npm', 'npm itself', globalModules, ['npm'], 1),
    tree('packages-scoped', 'node_modules, scoped packages', modules, scoped, 0),
    tree('packages', 'node_modules, the other packages', modules, plain, 1),
    tree('longshore', "longshore's own sources and build", PROJECT, ['src', 'dist', 'bench'], 1),
  ];
  const present = await Promise.all(candidates.map(withExistingEntries));
  return present.filter((found) => found.entries.length > 0);
}

function tree(
  name: string,
  title: string,
  directory: string,
  entries: readonly string[],
  level: 0 | 1,
): InputTree {
  const folder = relative(PROJECT, directory);
  const place = folder.startsWith('..') || isAbsolute(folder) ? directory : folder;
  const origin = entries.length > 3 ? place : entries.map((entry) => join(place, entry)).join(', ');
  return { name, title, directory, origin, entries, level };
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
