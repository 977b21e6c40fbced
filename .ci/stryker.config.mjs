/**
 * Mutation tests of the engine: a small change of it should make a test fail. The tests of `test/layer`
 * judge; in them models stand for registry, workers, sources and journals, since the emulator is too slow
 * for this. All of it is some 2,000 mutants and takes about an hour on two cores that others use as well;
 * `npm run mutants -- --mutate src/layer/retry.ts` looks at one module.
 */

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
const options = {
  mutate: ['src/layer/*.ts'],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: '.ci/mutants.vitest.config.mjs', related: false },
  coverageAnalysis: 'perTest',
  // What the tests wait for they are told; so a test that takes much longer than it did hangs.
  timeoutMS: 5_000,
  timeoutFactor: 2,
  concurrency: 2,
  // TypeScript 7 has no API for Stryker to read its configuration by; nothing here needs it read.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  // Out of the way of git, the linter and the formatter.
  tempDirName: 'coverage/mutants/sandbox',
  ignorePatterns: ['coverage', 'bench', '.git'],
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, allowEmojis: false },
  jsonReporter: { fileName: 'coverage/mutants/report.json' },
  thresholds: { high: 95, low: 90, break: 85 },
};

export default options;
