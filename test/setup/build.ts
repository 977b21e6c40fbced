import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** Published beside the compiled modules, as `build:schema` does. */
const SCHEMA = 'src/sync/sync.schema.json';
/** What tsc answers when it found type errors but wrote its output nevertheless. */
const TYPE_ERRORS_ONLY = 2;

/** Compiles `src` and the worker once, before any test file is loaded. */
export function setup(): void {
  compile();
  const worker = spawnSync('npm', ['run', '--silent', 'build:worker'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  if (worker.status !== 0) throw new Error(`esbuild failed:\n${worker.stdout}${worker.stderr}`);
  copyFileSync(join(REPOSITORY, SCHEMA), join(REPOSITORY, 'dist', SCHEMA));
  removeOrphans();
}

function compile(): void {
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  const report = `tsc failed:\n${result.stdout}${result.stderr}`;
  // Type errors are for `check:types` to judge. Here they must not hide what the tests say.
  if (result.status !== 0 && result.status !== TYPE_ERRORS_ONLY) throw new Error(report);
  if (result.status !== 0) process.stderr.write(`${report}\n`);
}

/** Removes what was compiled from sources that are gone: it would be packed, and found by imports. */
function removeOrphans(): void {
  const dist = join(REPOSITORY, 'dist');
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = name.replace(/(\.d\.ts|\.c?js)$/, '.ts');
    if (source !== name && !existsSync(join(REPOSITORY, source))) rmSync(join(dist, name));
  }
}
