import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPOSITORY } from '../tidy/source-tree.ts';
import { readManifest } from './packed-package.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly deprecated?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** By name: why a dependency may have a script that runs when it is installed. */
const INSTALL_SCRIPTS_ALLOWED: ReadonlyMap<string, string> = new Map([
  [
    'node_modules/esbuild',
    'checks its binary; of development only, and CI installs without scripts',
  ],
]);
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

const installed = Object.entries(packages).filter(([path]) => path !== '');

/** The paths of the packages for which it is so. */
function pathsWhere(isSo: (locked: LockedPackage) => boolean): string[] {
  return installed.filter(([, locked]) => isSo(locked)).map(([path]) => path);
}

describe('the lock file', () => {
  test('was made from this package.json', () => {
    const { dependencies, devDependencies } = readManifest(REPOSITORY);
    expect(packages['']).toMatchObject({ dependencies, devDependencies });
  });

  // npm leaves out what a registry did not offer at the time, and then `npm ci` refuses the file.
  test('holds the binaries of every platform, so that `npm ci` takes it', () => {
    const missing = Object.entries(packages).flatMap(([path, locked]) =>
      Object.keys(locked.optionalDependencies ?? {}).filter(
        (name) =>
          !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test('is tied to no registry and holds nothing deprecated', () => {
    const bad = Object.entries(packages)
      .filter(([, { resolved, deprecated }]) => (resolved ?? deprecated) !== undefined)
      .map(([path]) => path);
    expect(bad).toEqual([]);
  });

  test('holds one version of each, to the last digit', () => {
    expect(installed.length).toBeGreaterThan(100);
    expect(pathsWhere(({ version = '' }) => !EXACT_VERSION.test(version))).toEqual([]);
  });

  test('knows no dependency with a script that runs when it is installed, but those with a reason', () => {
    expect(pathsWhere(({ hasInstallScript }) => hasInstallScript === true)).toEqual([
      ...INSTALL_SCRIPTS_ALLOWED.keys(),
    ]);
    expect(
      pathsWhere(({ hasInstallScript, dev }) => hasInstallScript === true && dev !== true),
    ).toEqual([]);
  });

  test('is that of a package without such a script of its own', () => {
    const text = readFileSync(join(REPOSITORY, 'package.json'), 'utf8');
    const { scripts } = JSON.parse(text) as { readonly scripts: Readonly<Record<string, string>> };
    const names = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(names.filter((name) => name in scripts)).toEqual([]);
  });

  // npm can write down only the hashes that the registry told it, and that tells none of the binaries
  // for other machines.
  test('has the hash of everything but binaries of development tools', () => {
    const isHashed = ({ integrity = '' }: LockedPackage): boolean =>
      integrity.startsWith('sha512-');
    const isToolBinary = ({ dev, optional }: LockedPackage): boolean =>
      dev === true && optional === true;
    expect(pathsWhere((locked) => !isHashed(locked) && !isToolBinary(locked))).toEqual([]);
  });
});
