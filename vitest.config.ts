// How the tests run: most start whole processes, so few workers and a long limit.
import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** What changes the process that it runs in: its environment, its certificate authorities, or a lab that does. */
const touches =
  /process\.env\b|setDefaultCACertificates|from '\.\/(labs|acting|commands|carrying-out|five-actions)\.ts'/
const files = globSync('test/*.test.{ts,tsx}', { cwd: import.meta.dirname }).sort()
const apart = files.filter((file) => touches.test(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')))

export default defineConfig({
  test: {
    pool: 'threads',
    // One more than the two cores that CI has: some tests wait for a pod or a silence meanwhile.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'apart', include: apart } },
      // What leaves nothing behind shares its modules with the next: reading all checks anew costs more than many of these tests.
      {
        extends: true,
        test: { name: 'shared', include: files.filter((file) => !apart.includes(file)), isolate: false },
      },
    ],
  },
})
