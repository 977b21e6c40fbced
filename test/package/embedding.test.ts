import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import {
  expectUploaded,
  expectWorkerNotFound,
  runUpload,
  startStrictEmulator,
} from './embedded-upload.ts';
import { copyProgram, installPackage, packPackage } from './packed-package.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What CommonJS packages inside an ESM bundle need; esbuild leaves it to its user. */
const REQUIRE_BANNER =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

describe('the packed package inside another program', () => {
  const folder = temporaryFolder();
  const project = folder.path;
  const packageWorker = join(project, 'node_modules/longshore/dist/workers/layer.worker.js');
  let emulator: Emulator;

  beforeAll(async () => {
    await installPackage(packPackage(project).tarball, project);
    copyProgram('upload.mjs', project);
    copyProgram('upload.cjs', project);
  });
  afterAll(() => folder[Symbol.dispose]());
  beforeEach(async () => {
    emulator = await startStrictEmulator();
  });
  afterEach(() => emulator[Symbol.asyncDispose]());

  /** Bundles the program into a folder of its own that has no `node_modules` above it. */
  async function bundle(
    options: BuildOptions,
  ): Promise<{ readonly program: string; readonly cwd: string } & Disposable> {
    const target = temporaryFolder();
    await build({
      absWorkingDir: project,
      entryPoints: { program: 'upload.mjs' },
      outdir: target.path,
      outExtension: { '.js': options.format === 'cjs' ? '.cjs' : '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      ...options,
    });
    const program = join(target.path, options.format === 'cjs' ? 'program.cjs' : 'program.mjs');
    return { program, cwd: target.path, [Symbol.dispose]: () => target[Symbol.dispose]() };
  }

  test('serves an ESM program', async () => {
    expectUploaded(await runUpload({ program: 'upload.mjs', cwd: project, emulator }));
  });

  test('serves a CommonJS program through import()', async () => {
    expectUploaded(await runUpload({ program: 'upload.cjs', cwd: project, emulator }));
  });

  test('serves a bundle that keeps packages external', async () => {
    await build({
      absWorkingDir: project,
      entryPoints: ['upload.mjs'],
      outfile: join(project, 'bundled/program.mjs'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
    });
    expectUploaded(await runUpload({ program: 'bundled/program.mjs', cwd: project, emulator }));
  });

  test('serves an ESM bundle of everything that is told where the worker is', async () => {
    using bundled = await bundle({ format: 'esm', banner: { js: REQUIRE_BANNER } });
    const options = { workerUrl: packageWorker };
    expectUploaded(await runUpload({ ...bundled, emulator, options }));
  });

  test('serves a CommonJS bundle of everything that is told where the worker is', async () => {
    using bundled = await bundle({ format: 'cjs' });
    const options = { workerUrl: packageWorker };
    expectUploaded(await runUpload({ ...bundled, emulator, options }));
  });

  test('serves a bundle whose worker is a second entry, if piscina is installed beside', async () => {
    await build({
      absWorkingDir: project,
      entryPoints: { program: 'upload.mjs', 'layer.worker': 'longshore/worker' },
      outdir: join(project, 'two-entries'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      external: ['piscina'],
      platform: 'node',
      format: 'esm',
      banner: { js: REQUIRE_BANNER },
    });
    const options = { workerUrl: join(project, 'two-entries/layer.worker.mjs') };
    const program = 'two-entries/program.mjs';
    expectUploaded(await runUpload({ program, cwd: project, emulator, options }));
  });

  test.each(['esm', 'cjs'] as const)(
    'says what to do when a %s bundle does not know where the worker is',
    async (format) => {
      using bundled = await bundle({
        format,
        ...(format === 'esm' && { banner: { js: REQUIRE_BANNER } }),
      });
      expectWorkerNotFound(await runUpload({ ...bundled, emulator }));
    },
  );

  test.each(['esm', 'cjs'] as const)(
    'says what to do when a %s bundle has the worker but piscina is nowhere',
    async (format) => {
      using bundled = await bundle({
        format,
        ...(format === 'esm' && { banner: { js: REQUIRE_BANNER } }),
        entryPoints: { program: 'upload.mjs', 'layer.worker': 'longshore/worker' },
      });
      const workerUrl = join(bundled.cwd, `layer.worker.${format === 'esm' ? 'mjs' : 'cjs'}`);
      expectWorkerNotFound(await runUpload({ ...bundled, emulator, options: { workerUrl } }));
    },
  );
});
