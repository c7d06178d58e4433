/** What fix exits with where nothing is changed: what doctor says of the same world, under the same --fail-on. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entry } from './running.ts'

const warned = join(import.meta.dirname, 'fixtures/aws/annotations-take-effect/token-expiration-ignored.case.yaml')

test.each([
  ['error', 0],
  ['warning', 1],
  ['never', 0],
])('a warning under --fail-on %s', (failOn, code) => {
  const flags = ['-f', warned, '--check', 'aws/annotations-take-effect', '--fail-on', failOn]
  const statuses = ['doctor', 'fix'].map((command) => spawnSync(process.execPath, [entry, command, ...flags]).status)
  expect(statuses).toEqual([code, code])
})
