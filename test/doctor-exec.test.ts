/** doctor --exec: a shell in the pods that are judged tells what time it is there. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { execFront } from './exec-front.ts'
import { closeLabs, demo, type Ran, start } from './labs.ts'
import { entry } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-doctor-exec-'))
const lab = await start(demo('healthy'))
const front = await execFront(lab)
afterAll(async () => {
  front.close()
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

/** The `date` of the container. */
const tells = (script: string): void => {
  const file = path.join(folder, 'date')
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  front.container.env = { PATH: `${folder}:${process.env.PATH}` }
}
const run = (...more: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const args = [
      'doctor',
      'sa/cart',
      '-n',
      'shop',
      '--check',
      'cluster/clocks-agree',
      '--server',
      front.server,
      ...more,
    ]
    execFile(process.execPath, [entry, ...args], { env: lab.env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out.replace(/\s+/g, ' '), err }),
    )
  })

test('no pod is looked into unless that is asked for', async () => {
  tells('echo 2020-01-01T00:00:00Z')
  expect((await run()).code).toBe(0)
  expect(front.asked).toEqual([])
})
test('a pod whose clock is right passes', async () => {
  tells('exec /bin/date "$@"')
  expect((await run('--exec')).code).toBe(0)
  expect(front.asked).toEqual([expect.stringMatching(/\/namespaces\/shop\/pods\/cart-[a-z0-9-]+\/exec cart$/)])
})
test('a clock that is off is named with its pod', async () => {
  tells('exec /bin/date -u -d "-10 minutes" +%Y-%m-%dT%H:%M:%SZ')
  const ran = await run('--exec')
  expect(ran.out).toMatch(/the clock in pod shop\/cart-\S+ on node \S+ is (?:599|600|601) s off the control plane/)
  expect(ran.code).toBe(1)
})
test('a container without a date leaves it open', async () => {
  tells('echo no such thing; exit 127')
  const ran = await run('--exec')
  expect(ran.out).toContain('has no `date` that tells the time')
  expect(ran.code).toBe(3)
})
test('the permission for it is told', async () => {
  const needs = (...more: readonly string[]) => run('--show-permissions', ...more)
  expect((await needs()).out).not.toContain('pods/exec')
  expect((await needs('--exec')).out).toContain('pods/exec')
})
