/** The tests that judge mutants of `src/layer`: the fast ones that go through it. */

const config = {
  test: {
    include: ['test/layer/*.test.ts'],
    setupFiles: ['.ci/mutants.setup.mjs', 'test/setup/no-warnings.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
};

export default config;
