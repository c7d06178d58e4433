/** Every kind of change leaves the same behind, whether it is applied or typed as its command, and taken back either way. */
import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DescribeAccessEntryCommand,
  DescribeAddonCommand,
  DescribePodIdentityAssociationCommand,
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
import { openWriters } from '../src/apply/open.ts'
import { edited } from '../src/core/edit.ts'
import { canonical, type Json } from '../src/core/json.ts'
import type { Change } from '../src/core/plan.ts'
import * as aws from '../src/domain/aws-changes.ts'
import * as roles from '../src/domain/aws-role-changes.ts'
import { commandOf } from '../src/domain/change-commands.ts'
import * as kubernetes from '../src/domain/kubernetes-changes.ts'
import type { Lab } from '../src/lab/lab.ts'
import { account, documents, holdings, provider } from './acting.ts'
import { api, closeLabs, eks, iam, start } from './labs.ts'

const outside = { ...process.env }
let [applied, typed]: Lab[] = []
let bin = ''
const files = {
  ...documents('broken'),
  'associations.json': JSON.stringify({ associations: [] }),
  'entries.json': JSON.stringify({ accessEntries: [] }),
  'roles.json': JSON.stringify({ Roles: [] }),
}
beforeAll(async () => {
  ;[applied, typed] = await Promise.all([start(files), start(files)])
  // A folder of its own, for a package of that name would be found before the SDK.
  bin = mkdtempSync(join(tmpdir(), 'aws-command-'))
  mkdirSync(join(bin, 'on-path'))
  symlinkSync(join(import.meta.dirname, '../node_modules'), join(bin, 'node_modules'))
  copyFileSync(join(import.meta.dirname, 'aws-command.mjs'), join(bin, 'aws-command.mjs'))
  writeFileSync(
    join(bin, 'on-path', 'aws'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(bin, 'aws-command.mjs')}' "$@"\n`,
  )
  chmodSync(join(bin, 'on-path', 'aws'), 0o755)
})
afterAll(async () => {
  process.env = outside
  rmSync(bin, { recursive: true, force: true })
  await closeLabs()
})

const type = (lab: Lab, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...lab.env, PATH: `${join(bin, 'on-path')}:${lab.env.PATH}` }
    execFile('/bin/sh', ['-euc', command], { env }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${command}\n${err}`)),
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

const bound = { namespace: 'shop', serviceAccount: 'cart', roleArn: `arn:aws:iam::${account}:role/cart` }
const principal = `arn:aws:iam::${account}:role/node`
const clusterName = 'shop'
const addonName = 'eks-pod-identity-agent'
const pinned = '9e99a48a9960b14926bb7f3b02e22da2b0ab7280'

/** All that any of the changes below may touch. */
async function world(lab: Lab): Promise<string> {
  const association = async () => {
    const { associations = [] } = await eks(lab).send(new ListPodIdentityAssociationsCommand({ clusterName }))
    const associationId = associations[0]?.associationId
    if (associationId === undefined) return undefined
    return (await eks(lab).send(new DescribePodIdentityAssociationCommand({ clusterName, associationId }))).association
      ?.roleArn
  }
  const entry = () =>
    eks(lab)
      .send(new DescribeAccessEntryCommand({ clusterName, principalArn: principal }))
      .then(
        ({ accessEntry }) => accessEntry?.type,
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
        entry(),
        made(),
        attached(),
        own().catch(() => []),
        limit(),
        thumbprints(),
      ])),
      ((await addon()) ?? 'none').replace('{}', 'no settings'),
      body.data,
    ],
    null,
    1,
  )
}

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
}
const permissions = (Action: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: 'arn:aws:s3:::shop-carts/*' }],
})
const from = JSON.parse(documents('broken')['role.json'] ?? '').Role.AssumeRolePolicyDocument
const cart = { resource: 'serviceaccounts', namespace: 'shop', name: 'cart' }
const deployment = { resource: 'deployments', namespace: 'shop', name: 'cart' }
const hostile = `it's "quoted" $(touch /tmp/never) \\ and\nlong`

/** In an order in which each can be done after those before it. */
const changes: readonly (readonly [string, kubernetes.Changed])[] = [
  ['an annotation', kubernetes.annotate(cart, 'example.com/note', undefined, hostile)],
  ['another value of it', kubernetes.annotate(cart, 'example.com/note', hostile, 'plain')],
  ['no annotation', kubernetes.annotate(cart, 'example.com/note', 'plain', undefined)],
  ['a label', kubernetes.label(cart, 'example.com/kind', undefined, 'shop')],
  ['a member', kubernetes.patchObject(cart, [{ path: ['automountServiceAccountToken'], after: false }])],
  [
    'a text in a ConfigMap',
    kubernetes.patchObject({ resource: 'configmaps', namespace: 'shop', name: 'kube-root-ca.crt' }, [
      { path: ['data', 'more'], after: 'a\nb\n' },
    ]),
  ],
  [
    'a member of a list',
    kubernetes.patchObject(deployment, [
      {
        path: ['spec', 'template', 'spec', 'containers', 0, 'image'],
        before: 'registry.example/shop/cart:1.4.2',
        after: 'cart:2',
      },
    ]),
  ],
  [
    'a variable in between, of one container and no other',
    kubernetes.patchObject(deployment, [
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env'], after: [{ name: 'A' }, { name: 'C' }] },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', 1], after: { name: 'B', value: hostile } },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', '-'], after: { name: 'D' } },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', 0], before: { name: 'A' } },
      kubernetes.pinned(['spec', 'template', 'spec', 'containers', 0, 'name'], 'cart'),
    ]),
  ],
  ['a restart', kubernetes.restartWorkload(deployment, [])],
  [
    'an object',
    kubernetes.createObject(
      { resource: 'configmaps', namespace: 'shop', name: 'made' },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' }, data: { a: hostile } },
    ),
  ],
  ['a trust policy', aws.changeTrustPolicy(account, 'cart', from, trust)],
  ['an audience', aws.addClientId(account, provider, 'other')],
  ['a role', aws.createRole({ partition: 'aws', account }, 'made', trust)],
  ['an attachment', aws.attachPolicy(account, 'made', 'arn:aws:iam::aws:policy/ReadOnlyAccess')],
  ['a policy of its own', roles.putRolePolicy(account, 'made', 'own', undefined, permissions('s3:GetObject'))],
  [
    'another text of it',
    roles.putRolePolicy(account, 'made', 'own', permissions('s3:GetObject'), permissions('s3:PutObject')),
  ],
  ['longer sessions', roles.changeSessionLimit(account, 'cart', 3600, 43_200)],
  ['a thumbprint', roles.changeThumbprints(account, provider, [pinned], [pinned, 'b'.repeat(40)])],
  ['an add-on', roles.installAddon(clusterName, addonName)],
  ['its settings', roles.configureAddon(clusterName, addonName, { agent: { additionalArgs: { '-b': hostile } } })],
  ['an association', aws.createAssociation(clusterName, bound)],
  ['another role for it', aws.changeAssociation(clusterName, 'any', bound, principal)],
  ['an access entry', aws.createAccessEntry(clusterName, principal, 'EC2_LINUX')],
]

test('a trust policy that has moved is not overwritten by what is typed', async () => {
  const lab = await start(documents('broken'))
  const held = async () =>
    (await iam(lab).send(new GetRoleCommand({ RoleName: 'cart' }))).Role?.AssumeRolePolicyDocument
  const before = await held()
  const stale = commandOf(aws.changeTrustPolicy(account, 'cart', trust, permissions('s3:GetObject')).change) ?? ''
  // With what stands after it, as in a script.
  await expect(type(lab, `${stale}\necho went on`)).rejects.toThrow('role cart has moved')
  expect(await held()).toBe(before)
})

describe('applied and typed come to the same', () => {
  test('there and back', async () => {
    if (applied === undefined || typed === undefined) throw new Error('no lab')
    const begun = await world(applied)
    expect(await world(typed)).toBe(begun)
    const back: (Change | null)[] = []
    let before = begun
    for (const [name, { change }] of changes) {
      const command = commandOf(change)
      expect(command, name).not.toContain('\n')
      const [undo] = await Promise.all([carryOut(applied, change), type(typed, command ?? 'false')])
      const now = await world(applied)
      expect(await world(typed), name).toBe(now)
      expect(now, `${name} changes something`).not.toBe(before)
      before = now
      back.unshift(undo)
    }
    for (const undo of back) if (undo !== null) await carryOut(applied, undo)
    expect(await world(applied)).toBe(begun)
  }, 60_000)
})
