/** What a case's plan changes in its cluster is carried out by the real writers, and taken back to the last byte. */
import { afterAll, describe, expect, test } from 'vitest'
import { openWriters } from '../src/apply/open.ts'
import { edited } from '../src/core/edit.ts'
import { canonical, type Json, textAt } from '../src/core/json.ts'
import type { Change } from '../src/core/plan.ts'
import { resources } from '../src/knowledge/permissions.ts'
import type { Lab } from '../src/lab/lab.ts'
import { cases } from './case-files.ts'
import { sourceOf } from './examining.ts'
import { api, closeLabs, start } from './labs.ts'
import { planCase } from './planning.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  await closeLabs()
})

const pathOf = ({ call, input }: Change): string => {
  const resource = call.split('/')[0] ?? ''
  const { group = '', version = 'v1' } = resources[resource] ?? {}
  const namespace = textAt(input, 'namespace')
  const where = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}${where}/${resource}/${textAt(input, 'name')}`
}

/** Without what the server counts and notes by itself at every write. */
async function objectAt(lab: Lab, path: string): Promise<Json> {
  const { status, body } = await api(lab, 'GET', path)
  if (status === 404) return null
  expect(status).toBe(200)
  return ['resourceVersion', 'generation', 'managedFields'].reduce<Json>(
    (left, key) => edited(left, ['metadata', key], undefined) ?? left,
    body,
  )
}

type Writers = Awaited<ReturnType<typeof openWriters>>

async function carryOut(writers: Writers, change: Change): Promise<Change | null> {
  const prepared = await writers.prepare(change, { dryRun: false })
  expect(prepared, JSON.stringify(change)).toMatchObject({ state: 'ready' })
  const written = prepared.state === 'ready' ? await prepared.write() : prepared
  expect(written, JSON.stringify(change)).toMatchObject({ state: 'done' })
  return written.state === 'done' ? written.undo : null
}

describe('a plan of a case, carried out and taken back', () => {
  // Of the systems around, one case for each form of write.
  const inCluster =
    /^(aws|cluster|workload|eks)\/|^interlink\/(api-|serving-)|^cloud-provider\/controller-manager-runs\/toleration/
  const told = cases.filter(({ name, plan = [] }) => inCluster.test(name) && plan.length > 0)
  // What was not collected the lab does not show: Deployments, ServiceAccounts, roles, add-ons, another cluster than the own.
  const bare: ReadonlySet<string> = new Set([
    'aws/pod-identity-agent-reaches-eks-auth/node-role-not-allowed.case.yaml',
    'aws/pod-identity-agent-running/ipv6-disabled.case.yaml',
    'aws/pod-identity-association-exists/other-cluster.case.yaml',
    'aws/pod-is-injected/created-before-annotation.case.yaml',
    'aws/pod-is-injected/role-differs.case.yaml',
    'aws/role-chain-allowed/source-not-allowed.case.yaml',
    'workload/pod-is-newer-than-its-binding/raced-the-account.case.yaml',
    'workload/service-account-exists/missing.case.yaml',
  ])
  test.each(told.filter(({ name }) => !bare.has(name)).map((one) => [one.name, one] as const))(
    '%s',
    async (_name, one) => {
      const lab = await start(one.path)
      const { actions } = await planCase(one, await sourceOf(one))
      const changes = actions.map(({ change }) => change)
      const paths = [...new Set(changes.filter(({ system }) => system === 'kubernetes').map(pathOf))]
      const look = async () => canonical(await Promise.all(paths.map((path) => objectAt(lab, path))))
      Object.assign(process.env, lab.env)
      const writers = await openWriters({ flags: {}, version: '0', env: lab.env })
      try {
        const before = await look()
        const undo: Change[] = []
        for (const [index, { change }] of actions.entries()) {
          const back = await carryOut(writers, change)
          // Nothing takes a restart back, nor need it be.
          if (back !== null && actions[index]?.undo !== null) undo.unshift(back)
        }
        if (paths.length > 0) expect(await look()).not.toBe(before)
        for (const change of undo) await carryOut(writers, change)
        if (actions.every((action) => action.undo !== null)) expect(await look()).toBe(before)
      } finally {
        writers.close()
      }
    },
  )
})
