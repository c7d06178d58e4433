/** What a case's plan changes in its cluster is carried out by the real writers, and taken back to the last byte. */
import { afterAll, describe, expect, test } from 'vitest'
import { openWriters } from '../../src/apply/open.ts'
import { carryAllOut, carryOut, objectsOf } from '../carrying-out.ts'
import { cases } from '../case-files.ts'
import { sourceOf } from '../examining.ts'
import { closeLabs, start } from '../labs.ts'
import { planCase } from '../planning.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  await closeLabs()
})

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
      const look = () => objectsOf(lab, actions)
      const touches = actions.some(({ change }) => change.system === 'kubernetes')
      Object.assign(process.env, lab.env)
      const writers = await openWriters({ flags: {}, version: '0', env: lab.env })
      try {
        const before = await look()
        const undo = await carryAllOut(writers, actions)
        if (touches) expect(await look()).not.toBe(before)
        for (const change of undo) await carryOut(writers, change)
        if (actions.every((action) => action.undo !== null)) expect(await look()).toBe(before)
      } finally {
        writers.close()
      }
    },
  )
})
