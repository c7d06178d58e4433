// How the tests against real servers run: one lane for all, one file after the other, and long limits.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    globalSetup: ['test/live/global-setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
