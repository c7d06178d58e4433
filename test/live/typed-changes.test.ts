/** Every kind of change leaves the same behind, whether it is applied or typed as its command, and taken back either way. */
import { execFile } from 'node:child_process'
import {
  DescribeAccessEntryCommand,
  DescribeAddonCommand,
  DescribePodIdentityAssociationCommand,
  ListAssociatedAccessPoliciesCommand,
  ListPodIdentityAssociationsCommand,
} from '@aws-sdk/client-eks'
import {
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eksCalls } from '../../src/apply/eks-calls.ts'
import { iamCalls } from '../../src/apply/iam-calls.ts'
import { openWriters } from '../../src/apply/open.ts'
import { edited } from '../../src/core/edit.ts'
import { canonical, type Json } from '../../src/core/json.ts'
import type { Change } from '../../src/core/plan.ts'
import { changeTrustPolicy } from '../../src/domain/aws-changes.ts'
import { commandOf } from '../../src/domain/change-commands.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { account, documents, holdings, provider } from '../acting.ts'
import { awsCommand } from '../aws-command.ts'
import { addonName, changes, clusterName, node, otherArn, permissions, principal, trust } from '../every-change.ts'
import { api, closeLabs, eks, iam, start } from '../labs.ts'

const outside = { ...process.env }
let [applied, typed]: Lab[] = []
let command: Awaited<ReturnType<typeof awsCommand>> | undefined
const files = {
  ...documents('broken'),
  'associations.json': JSON.stringify({ associations: [] }),
  'entries.json': JSON.stringify({ accessEntries: [] }),
  'roles.json': JSON.stringify({ Roles: [] }),
}
beforeAll(async () => {
  ;[applied, typed] = await Promise.all([start(files), start(files)])
  command = await awsCommand(typed)
})
afterAll(async () => {
  process.env = outside
  command?.close()
  await closeLabs()
})

const type = (lab: Lab, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...lab.env, PATH: `${command?.folder}:${lab.env.PATH}` }
    execFile('/bin/sh', ['-euc', text], { env }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${text}\n${err}`)),
    )
  })

async function carryOut(lab: Lab, change: Change): Promise<Change | null> {
  Object.assign(process.env, lab.env)
  const writers = await openWriters({ flags: {}, version: '0', env: lab.env })
  try {
    const prepared = await writers.prepare(change, { dryRun: false })
    expect(prepared).toMatchObject({ state: 'ready' })
    const written = prepared.state === 'ready' ? await prepared.write() : prepared
    expect(written).toMatchObject({ state: 'done' })
    return written.state === 'done' ? written.undo : null
  } finally {
    writers.close()
  }
}

/** All that any of the changes below may touch. */
async function world(lab: Lab): Promise<string> {
  const association = async () => {
    const { associations = [] } = await eks(lab).send(new ListPodIdentityAssociationsCommand({ clusterName }))
    const associationId = associations[0]?.associationId
    if (associationId === undefined) return undefined
    return (await eks(lab).send(new DescribePodIdentityAssociationCommand({ clusterName, associationId }))).association
      ?.roleArn
  }
  const entry = (principalArn: string) =>
    eks(lab)
      .send(new DescribeAccessEntryCommand({ clusterName, principalArn }))
      .then(
        ({ accessEntry }) => [
          accessEntry?.type,
          accessEntry?.kubernetesGroups,
          accessEntry?.username,
          accessEntry?.tags,
        ],
        () => undefined,
      )
  const policies = () =>
    eks(lab)
      .send(new ListAssociatedAccessPoliciesCommand({ clusterName, principalArn: principal }))
      .then(
        ({ associatedAccessPolicies = [] }) =>
          associatedAccessPolicies.map(({ policyArn, accessScope }) => [policyArn, accessScope]),
        () => undefined,
      )
  const made = () =>
    iam(lab)
      .send(new GetRoleCommand({ RoleName: 'made' }))
      .then(
        ({ Role }) => Role?.AssumeRolePolicyDocument,
        () => undefined,
      )
  const attached = () =>
    iam(lab)
      .send(new ListAttachedRolePoliciesCommand({ RoleName: 'made' }))
      .then(
        ({ AttachedPolicies }) => AttachedPolicies,
        () => undefined,
      )
  const own = async () => {
    const RoleName = 'made'
    const { PolicyNames = [] } = await iam(lab).send(new ListRolePoliciesCommand({ RoleName }))
    const all = PolicyNames.map((PolicyName) => iam(lab).send(new GetRolePolicyCommand({ RoleName, PolicyName })))
    return (await Promise.all(all)).map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument])
  }
  const limit = async () => (await iam(lab).send(new GetRoleCommand({ RoleName: 'cart' }))).Role?.MaxSessionDuration
  const thumbprints = async () =>
    (await iam(lab).send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider }))).ThumbprintList
  const otherProvider = () =>
    iam(lab)
      .send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: otherArn }))
      .then(
        ({ Url, ClientIDList }) => [Url, ClientIDList],
        () => undefined,
      )
  const addon = () =>
    eks(lab)
      .send(new DescribeAddonCommand({ clusterName, addonName }))
      .then(
        (answer) => answer.addon?.configurationValues ?? 'no settings',
        () => undefined,
      )
  const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/configmaps/kube-root-ca.crt')
  const held = await holdings(lab)
  const all: Json = JSON.parse(held)
  // Times, and what a server makes up for an object, differ from lab to lab.
  const inAll = ['uid', 'creationTimestamp'].reduce<Json>(
    (left, key) => edited(left, [2, 'metadata', key], undefined) ?? left,
    all,
  )
  const timeless = canonical(inAll).replaceAll(/"kubectl.kubernetes.io\/restartedAt":"[^"]+"/g, '"restarted":"then"')
  return JSON.stringify(
    [
      timeless,
      ...(await Promise.all([
        association(),
        entry(node),
        entry(principal),
        policies(),
        made(),
        attached(),
        own().catch(() => []),
        limit(),
        thumbprints(),
        otherProvider(),
      ])),
      ((await addon()) ?? 'none').replace('{}', 'no settings'),
      body.data,
    ],
    null,
    1,
  )
}

test('a trust policy that has moved is not overwritten by what is typed', async () => {
  if (typed === undefined) throw new Error('no lab')
  const lab = typed
  const held = async () =>
    (await iam(lab).send(new GetRoleCommand({ RoleName: 'cart' }))).Role?.AssumeRolePolicyDocument
  const before = await held()
  const stale = commandOf(changeTrustPolicy(account, 'cart', trust, permissions('s3:GetObject')).change) ?? ''
  // With what stands after it, as in a script.
  await expect(type(lab, `${stale}\necho went on`)).rejects.toThrow('role cart has moved')
  expect(await held()).toBe(before)
})

describe('applied and typed come to the same', () => {
  test('there and back', async () => {
    if (applied === undefined || typed === undefined) throw new Error('no lab')
    const [one, other] = [applied, typed]
    const begun = await world(one)
    expect(await world(other)).toBe(begun)
    const back: (readonly [string, Change, Change])[] = []
    let before = begun
    const both = async (name: string, change: Change, line: string | undefined): Promise<Change | null> => {
      const applying = carryOut(one, change)
      const [undo] = await Promise.all([applying, line === undefined ? undefined : type(other, line)]).catch(
        (error: unknown) => {
          throw new Error(name, { cause: error })
        },
      )
      if (line === undefined) await carryOut(other, change)
      const [now, then] = await Promise.all([world(one), world(other)])
      expect(then, name).toBe(now)
      expect(now, `${name} changes something`).not.toBe(before)
      before = now
      return undo
    }
    for (const [name, { change, undo }] of changes) {
      const line = commandOf(change)
      expect(line, `${name} has a command, of one line`).toMatch(/^.+$/)
      const exact = await both(name, change, line)
      if (undo !== null && exact !== null) back.unshift([name, undo, exact])
    }
    // A member that goes out of a list by its value has no command of its own; kubectl wi undo takes it out.
    for (const [name, undo, exact] of back)
      await both(`${name}, taken back`, exact, commandOf(undo) ?? commandOf(exact))
    expect(back.length).toBeGreaterThan(changes.length - 3)
  }, 60_000)

  test('every kind of change that a plan may hold is among them', () => {
    const covered = new Set(changes.flatMap(([, { change, undo }]) => [change, undo ?? change]).map(kindOf))
    const all = [...Object.keys({ ...iamCalls, ...eksCalls }), 'patch', 'restart', 'create', 'delete']
    expect(all.filter((kind) => !covered.has(kind)).sort()).toEqual([])
  })
})

/** Of Kubernetes the verb alone: every resource is written to in the same way. */
const kindOf = ({ system, call }: Change): string => (system === 'kubernetes' ? (call.split('/').at(-1) ?? '') : call)
