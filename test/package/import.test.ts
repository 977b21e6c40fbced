import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../tidy/source-tree.ts';
import { runNode } from './child-program.ts';
import { readCoverageListing } from './coverage-listing.ts';
import { temporaryFolder } from './temporary-folder.ts';

const NOT_YET = [
  /\/node_modules\/(@aws-sdk|@smithy)\//,
  /\/node_modules\/(@[^/]+\/)?(piscina|hash-wasm|commander|cli-progress|tar|undici|jsonc-parser|zstd-wasm|yaml|zod|semver|picomatch|prom-client)\//,
  /\/dist\/(workers|src\/(emulator|sync|cli|network\/agent))\b/,
  /\/(image-station|ecr-sdk|layer-upload)\.js/,
  /^node:(http|https|tls|crypto)$/,
];

test.each([
  { what: 'importing the library', program: '' },
  {
    what: 'an uploader that uploads nothing',
    program: "await createUploader({ region: 'eu-central-1' }).close();",
  },
])(
  '$what starts no thread and loads neither SDK, HTTP, pool, engine, images, emulator nor command line',
  async ({ program }) => {
    using folder = temporaryFolder();
    const index = pathToFileURL(join(REPOSITORY, 'dist/src/index.js')).href;

    const { exitCode, stdout, stderr } = await runNode(
      [
        '--input-type=module',
        '--eval',
        `const { createUploader } = await import(${JSON.stringify(index)}); ${program}`,
      ],
      { cwd: folder.path, env: { NODE_V8_COVERAGE: join(folder.path, 'coverage') } },
    );

    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const { threadCount, scripts } = readCoverageListing(join(folder.path, 'coverage'));
    expect(threadCount).toBe(1);
    expect(scripts).toContain(index);
    expect(scripts.filter((url) => NOT_YET.some((early) => early.test(url)))).toEqual([]);
  },
);

test('importing the emulator loads no package at all', async () => {
  using folder = temporaryFolder();
  const index = pathToFileURL(join(REPOSITORY, 'dist/src/emulator/index.js')).href;

  const { exitCode, stderr } = await runNode(
    ['--input-type=module', '--eval', `await import(${JSON.stringify(index)})`],
    { cwd: folder.path, env: { NODE_V8_COVERAGE: join(folder.path, 'coverage') } },
  );

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { threadCount, scripts } = readCoverageListing(join(folder.path, 'coverage'));
  expect(threadCount).toBe(1);
  expect(scripts.filter((url) => url.includes('/node_modules/'))).toEqual([]);
});
