/**
 * Mutation tests of the engine's pure modules: a small change of one should make a test fail. All of
 * them take more than a quarter of an hour on two cores; `npm run mutants -- --mutate src/layer/retry.ts`
 * looks at one. What has input or output is tested through the emulator, which is too slow for this.
 */

const MODULES = [
  'completed-layers',
  'event-sink',
  'idle-balance',
  'memory-queue',
  'notice-queue',
  'part-memory',
  'part-plan',
  'permit',
  'retry',
  'single-flight',
  'upload-session',
  'window',
  'wire-pace',
];

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
const options = {
  mutate: MODULES.map((name) => `src/layer/${name}.ts`),
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
