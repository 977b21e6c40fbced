import { availableParallelism } from 'node:os';
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
    pool: 'forks',
    // Vitest leaves a core free; on two cores that makes one file after another.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
};

export default config;
