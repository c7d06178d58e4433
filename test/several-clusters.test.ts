/** Several clusters in one report: two labs under one kubeconfig, and a context that leads nowhere. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { fleetOf } from '../src/core/fleet.ts'
import type { Subject } from '../src/core/subject.ts'
import { renderers } from '../src/report/index.ts'
import { closeLabs, demo, start } from './labs.ts'
import { healthy, notSeen, oneCause } from './report/samples.ts'
import { entry, root, sentence } from './running.ts'

let folder = ''
let env: NodeJS.ProcessEnv = {}
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-several-'))
  const labs = await Promise.all([start(demo('broken')), start(demo('broken'))])
  const [east, west] = labs.map(({ env: own }) => parse(readFileSync(own.KUBECONFIG ?? '', 'utf8')))
  const context = (name: string, cluster: string) => ({ name, context: { cluster, user: cluster, namespace: 'shop' } })
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'east', cluster: east.clusters[0].cluster },
      { name: 'west', cluster: west.clusters[0].cluster },
    ],
    users: [
      { name: 'east', user: east.users[0].user },
      { name: 'west', user: west.users[0].user },
    ],
    contexts: [context('east', 'east'), context('west', 'west'), context('gone', 'nowhere')],
    'current-context': 'east',
  }
  const kubeconfig = path.join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, stringify(config), { mode: 0o600 })
  env = { ...labs[0]?.env, KUBECONFIG: kubeconfig }
})
afterAll(async () => {
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

const doctor = (
  ...args: readonly string[]
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, 'doctor', ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })

describe('--contexts', () => {
  it('tells one cause of two clusters once, and says who is where', async () => {
    const { status, stdout } = await doctor(
      'sa/cart',
      '--contexts',
      'east,west',
      '--check',
      'aws/trust-policy-admits-service-account',
    )
    expect(status).toBe(1)
    expect(stdout.match(/ ✗ The role's trust policy admits/gu)).toHaveLength(1)
    expect(stdout).toContain('2 ServiceAccounts: shop/cart in east, shop/cart in west')
    expect(stdout).toMatch(/^unhealthy: 2 errors/mu)
  })

  it('says which cluster could not be examined, and is never healthy then', async () => {
    const args = ['--all-contexts', '-o', 'json', '--check', 'workload/service-account-exists'] as const
    const { status, stdout, stderr } = await doctor('sa/cart', ...args)
    const report = JSON.parse(stdout)
    const validate = new Ajv2020().compile(
      JSON.parse(readFileSync(path.join(root, 'schemas', 'report-v1.schema.json'), 'utf8')),
    )
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true)
    expect(report.findings.map(({ subject }: { subject: Subject }) => subject.context)).toEqual(['east', 'west'])
    expect(report.verdict).toBe('inconclusive')
    expect(status).toBe(3)
    expect(report.notes.join('\n')).toContain('gone was not examined')
    expect(stderr).toContain('gone was not examined')
    sentence(stderr)
  })

  it('ends with a sentence where no such context is', async () => {
    const { status, stderr } = await doctor('--contexts', 'east,wst')
    expect(status).toBe(2)
    expect(stderr).toContain('did you mean west or east?')
    sentence(stderr)
  })
})

describe('one report of many', () => {
  const members = [
    { context: 'east', report: oneCause() },
    { context: 'west', report: oneCause() },
    { context: 'north', report: healthy() },
  ] as const

  it('holds up only what is in the same cluster', async () => {
    const report = fleetOf(
      [
        { context: 'east', report: oneCause() },
        { context: 'west', report: healthy() },
      ],
      [],
    )
    const text = (await renderers.table())(report, { color: false, width: 100, verbose: false })
    expect(text).toContain('sa shop/cart in east')
    expect(text).not.toMatch(/Not seen(?:.|\n)*in west/u)
  })

  it('adds up, and is as bad as its worst', () => {
    const { totals, verdict } = fleetOf(members, [])
    expect(totals.fail).toBe(2 * oneCause().totals.fail)
    expect(verdict).toBe('unhealthy')
    expect(fleetOf([{ context: 'a', report: healthy() }], []).verdict).toBe('healthy')
    expect(fleetOf([{ context: 'a', report: healthy() }], ['b was not examined']).verdict).toBe('inconclusive')
    expect(
      fleetOf(
        [
          { context: 'a', report: healthy() },
          { context: 'b', report: notSeen() },
        ],
        [],
      ).verdict,
    ).toBe('inconclusive')
  })
})
