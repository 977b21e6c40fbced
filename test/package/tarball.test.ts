import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readModules, REPOSITORY } from '../tidy/source-tree.ts';
import type { PackedPackage } from './packed-package.ts';
import { packPackage, readManifest } from './packed-package.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KIB = 1024;
/** About a third above what it is now; a jump means that something unmeant is inside. */
const SIZE_BYTES_MAX = 560 * KIB;
const UNPACKED_SIZE_BYTES_MAX = 2000 * KIB;

describe('the package that npm would publish', () => {
  let packed: PackedPackage;
  beforeAll(() => {
    using folder = temporaryFolder();
    packed = packPackage(folder.path);
  });

  test('holds the compiled modules and the documents, nothing else', () => {
    const compiled = readModules('src', 'workers').flatMap(({ path }) => {
      const base = `dist/${path.replace(/\.ts$/, '')}`;
      return [`${base}.js`, `${base}.d.ts`];
    });
    // The worker once more, as the one file that threads load; the schema of the sync's file.
    compiled.push('dist/workers/layer.worker.cjs', 'dist/src/sync/sync.schema.json');
    const documents = [
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ];
    expect(packed.files).toEqual([...documents, ...compiled].toSorted());
  });

  test('is small', () => {
    expect(packed.sizeBytes).toBeLessThan(SIZE_BYTES_MAX);
    expect(packed.unpackedSizeBytes).toBeLessThan(UNPACKED_SIZE_BYTES_MAX);
  });

  test('runs nothing on installation', () => {
    const hooks = Object.keys(readManifest(REPOSITORY).scripts).filter((name) =>
      /^(pre|post)?(install|prepare|uninstall)$|^(dependencies)$/.test(name),
    );
    expect(hooks).toEqual([]);
    expect(readdirSync(REPOSITORY)).not.toContain('binding.gyp');
  });

  test('every entry it names is inside', () => {
    const { bin, exports } = readManifest(REPOSITORY);
    const named = JSON.stringify([bin, exports]).match(/dist\/[^"]+/g) ?? [];
    expect(named.filter((path) => !packed.files.includes(path))).toEqual([]);
    expect(named.length).toBeGreaterThan(6);
  });

  test('depends only on what the compiled modules import', () => {
    const imported = new Set(
      readModules('src', 'workers').flatMap(({ imports }) =>
        imports.filter(({ own }) => !own).map(({ target }) => target),
      ),
    );
    const idle = Object.keys(readManifest(REPOSITORY).dependencies).filter(
      (name) => !imported.has(name),
    );
    expect(idle).toEqual([]);
  });
});
