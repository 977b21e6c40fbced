import { delimiter } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectUploaded, runUpload, startStrictEmulator } from './embedded-upload.ts';
import { runNode } from './child-program.ts';
import { copyProgram, installPackage, packPackage } from './packed-package.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Paths of other Node binaries, as `.ci/run` fetches them; none on most machines. */
const binaries = (process.env['LONGSHORE_NODE_BINARIES'] ?? '')
  .split(delimiter)
  .filter((path) => path !== '');

describe.skipIf(binaries.length === 0)('the packed package on other versions of Node', () => {
  const folder = temporaryFolder();
  const project = folder.path;

  beforeAll(async () => {
    await installPackage(packPackage(project).tarball, project);
    copyProgram('upload.mjs', project);
  });
  afterAll(() => folder[Symbol.dispose]());

  describe.each(binaries)('%s', (node) => {
    test('runs', async () => {
      const { stdout } = await runNode(['--version'], { cwd: project, node });
      expect(stdout).toMatch(/^v(20\.(19|[2-9]\d)|2[2-9])\./);
    });

    test.each(['wasm', 'native', 'auto'] as const)('uploads with the %s hasher', async (hasher) => {
      await using emulator = await startStrictEmulator();
      const options = { hasher };
      expectUploaded(
        await runUpload({ program: 'upload.mjs', cwd: project, emulator, options, node }),
      );
    });
  });
});
