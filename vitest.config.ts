import type { ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = {
  test: {
    include: ['test/**/*.test.ts'],
    // Workers load the compiled worker file, so the tests compile before they run.
    globalSetup: ['test/setup/build.ts'],
    setupFiles: ['test/setup/no-warnings.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    sequence: { shuffle: true },
    // Two cores: the forks compete with the worker threads and emulators they start.
    pool: 'forks',
  },
};

export default config;
