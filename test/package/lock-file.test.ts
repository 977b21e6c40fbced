import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPOSITORY } from '../tidy/source-tree.ts';
import { readManifest } from './packed-package.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly deprecated?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

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
});
