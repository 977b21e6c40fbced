import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../tidy/source-tree.ts';
import { runNode } from './child-program.ts';
import { copyProgram, installPackage, lendPackage, packPackage } from './packed-package.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Stricter than most, and without `skipLibCheck`: our declarations are checked as well. */
const COMPILER_OPTIONS = {
  target: 'es2022',
  lib: ['es2022', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  noEmit: true,
  skipLibCheck: false,
};

test('the packed declarations serve a project with TypeScript settings of its own', async () => {
  using folder = temporaryFolder();
  const project = folder.path;
  await installPackage(packPackage(project).tarball, project);
  lendPackage('@types/node', project);
  copyProgram('consumer.mts', project);
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['consumer.mts'] }),
  );

  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  const result = await runNode([tsc, '-p', project], { cwd: project });

  expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});
