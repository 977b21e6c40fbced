/** The package as npm would publish it, and a project that has it installed. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { extract } from 'tar';
import { REPOSITORY } from '../tidy/source-tree.ts';

export interface PackedPackage {
  readonly tarball: string;
  /** Paths inside the package. */
  readonly files: readonly string[];
  readonly sizeBytes: number;
  readonly unpackedSizeBytes: number;
}

/** Packs what the test setup has built; `prepack` would build again under the feet of other tests. */
export function packPackage(folder: string): PackedPackage {
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const output = execFileSync('npm', ['pack', ...options], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  const [packed] = JSON.parse(output) as readonly [
    {
      readonly filename: string;
      readonly size: number;
      readonly unpackedSize: number;
      readonly files: readonly { readonly path: string }[];
    },
  ];
  return {
    tarball: join(folder, packed.filename),
    files: packed.files.map(({ path }) => path).toSorted(),
    sizeBytes: packed.size,
    unpackedSizeBytes: packed.unpackedSize,
  };
}

export interface PackageManifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
}

export function readManifest(folder: string): PackageManifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageManifest;
}

/**
 * Makes `folder` a project with the tarball's content as `node_modules/longshore` and beside it the
 * packages it declares as dependencies, no others; no registry is asked. Returns the package's folder.
 */
export async function installPackage(tarball: string, folder: string): Promise<string> {
  const installed = join(folder, 'node_modules/longshore');
  mkdirSync(installed, { recursive: true });
  await extract({ file: tarball, cwd: installed, strip: 1 });
  for (const name of Object.keys(readManifest(installed).dependencies)) lendPackage(name, folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return installed;
}

/** Puts one of this repository's installed packages into the project. */
export function lendPackage(name: string, folder: string): void {
  const link = join(folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules', name), link, 'junction');
}

/** Copies a program of `test/package/programs` into the project. */
export function copyProgram(name: string, folder: string): string {
  const copy = join(folder, name);
  copyFileSync(join(REPOSITORY, 'test/package/programs', name), copy);
  return copy;
}
