import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Children, locks and temporary file systems are slower on a loaded two-core machine than the default allows.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Vitest leaves one core to itself, which would leave it idle on two.
    maxWorkers: 2,
  },
});
