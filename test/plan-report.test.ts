/** The forms of a plan: each is what its reader takes, whatever is in it. */
import { spawnSync } from 'node:child_process'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { z } from 'zod'
import { planJsonSchema, type planSchema } from '../scripts/plan-schema.ts'
import { azureCalls } from '../src/apply/azure-calls.ts'
import { eksCalls } from '../src/apply/eks-calls.ts'
import { gcpCalls } from '../src/apply/gcp-calls.ts'
import { iamCalls } from '../src/apply/iam-calls.ts'
import type { Plan, PlannedAction, PlanReport } from '../src/core/plan.ts'
import { changeTrustPolicy } from '../src/domain/aws-changes.ts'
import { commandOf, documentOf } from '../src/domain/change-commands.ts'
import { annotate, type Changed, patchObject } from '../src/domain/kubernetes-changes.ts'
import { ownerByTags, ownerOf } from '../src/domain/owner-marks.ts'
import { type PlanFormat, planRenderers } from '../src/report/plan.ts'
import { awsBlocks, azureBlocks } from '../src/report/plan-terraform-clouds.ts'
import { googleBlocks } from '../src/report/plan-terraform-google.ts'
import { cases } from './case-files.ts'
import { changes } from './every-change.ts'
import { sourceOf } from './examining.ts'
import { planCase } from './planning.ts'

const hostile = `a"b'c\n$(touch /tmp/never) \${var.x} %{if} \u001b[31m\u202e --- # : {`
const action = (changed: Changed, summary: string): PlannedAction => {
  const [command, undoCommand] = [
    commandOf(changed.change),
    changed.undo === null ? undefined : commandOf(changed.undo),
  ]
  return {
    ...changed,
    summary,
    safety: 'review',
    round: 1,
    for: [
      {
        check: 'aws/role-exists',
        subject: { kind: 'ServiceAccount', namespace: hostile, name: hostile },
        messageId: 'x',
        message: hostile,
      },
    ],
    owner: { tool: 'Helm', mark: hostile, where: 'the values of its release' },
    document: documentOf(changed.change),
    ...(command === undefined ? {} : { command }),
    ...(undoCommand === undefined ? {} : { undoCommand }),
  }
}
const cart = { resource: 'serviceaccounts', namespace: 'shop', name: 'cart' }
const plan: Plan = {
  actions: [
    action(annotate(cart, 'example.com/note', undefined, hostile), hostile),
    action(
      patchObject({ ...cart, resource: 'configmaps' }, [{ path: ['data', hostile], before: hostile, after: 'b\nc' }]),
      'Change a ConfigMap',
    ),
    action(
      changeTrustPolicy('111122223333', 'cart', { a: hostile }, { a: 'b', [hostile]: [hostile] }),
      'Change a policy',
    ),
  ],
  manual: [
    {
      check: 'aws/role-exists',
      subject: { kind: 'Cluster', name: 'cluster' },
      messageId: 'x',
      message: hostile,
      words: `Do it.\nkubectl get sa`,
    },
  ],
  leaves: [],
  before: 'unhealthy',
  rehearsed: 'healthy',
  remains: [],
}
const report: PlanReport = {
  schema: 'kubectl-wi/plan/v1',
  tool: { name: 'kubectl-wi', version: '0' },
  source: hostile,
  plan,
  notes: [hostile],
}
const look = { color: false, width: 100 }
const rendered = async (format: PlanFormat): Promise<string> => (await planRenderers[format]())(report, look)

describe('a plan full of hostile text', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
  const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/
  test.each(Object.keys(planRenderers) as PlanFormat[])('moves no cursor: %s', async (format) => {
    expect(await rendered(format)).not.toMatch(controls)
  })
  test('is shell that a shell reads, in which nothing but its commands runs', async () => {
    const text = await rendered('shell')
    expect(spawnSync('sh', ['-n'], { input: text }).status).toBe(0)
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'set -eu',
      'kubectl annotate',
      'kubectl patch',
      '(test "$(aws',
    ])
  })
  test('is YAML that says the same', async () => {
    const documents = parseAllDocuments(await rendered('yaml'))
    expect(documents.map(({ errors }) => errors)).toEqual([[], [], []])
    expect(documents[0]?.toJS()).toMatchObject({ kind: 'ServiceAccount', metadata: { name: 'cart' } })
  })
  test('is JSON that says the same', async () => {
    expect(JSON.parse(await rendered('json'))).toMatchObject({
      before: 'unhealthy',
      rehearsed: 'healthy',
      actions: [{ summary: hostile }, {}, {}],
    })
  })
  test('is Terraform whose strings hold no expression', async () => {
    const all = await rendered('terraform')
    const text = all.replaceAll(/^#.*$/gm, '')
    expect(text).toContain('resource "kubernetes_annotations" "cart"')
    expect(text).toContain('resource "aws_iam_role" "cart"')
    expect(text.replaceAll('$${', '')).not.toContain('${')
    expect(text.replaceAll('%%{', '')).not.toContain('%{')
  })
  test('is a table that names the owner and what takes it back', async () => {
    const text = await rendered('table')
    expect(text).toContain('Helm')
    expect(text).toContain('after this plan: healthy (rehearsed')
  })
})

test('the plan of the demo, as a person sees it', async () => {
  const demo = cases.find(({ name }) => name === 'demo/broken')
  if (demo === undefined) throw new Error('no demo')
  const { actions } = await planCase(demo, await sourceOf(demo))
  expect(actions).toMatchObject([{ command: expect.stringContaining('aws iam update-assume-role-policy'), round: 1 }])
})

describe('Terraform', () => {
  const blocks = { ...awsBlocks, ...azureBlocks, ...googleBlocks }
  test('has a block, or words, for every call that a plan may begin with', () => {
    const all = Object.keys({ ...iamCalls, ...eksCalls, ...gcpCalls, ...azureCalls })
    expect(all.filter((call) => !Object.hasOwn(blocks, call)).sort(), 'calls that only take back').toEqual([
      'Microsoft.Authorization/roleAssignments/delete',
      'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete',
      'eks:DeleteAddon',
      'eks:DeletePodIdentityAssociation',
      'eks:DisassociateAccessPolicy',
      'graph applications/federatedIdentityCredentials/delete',
      'iam:DeleteOpenIDConnectProvider',
      'iam:DeleteRole',
      'iam:DeleteRolePolicy',
      'iam:DetachRolePolicy',
      'iam:RemoveClientIDFromOpenIDConnectProvider',
    ])
  })
  test.each(changes)('says what it can of %s, and else that it cannot', async (name, changed) => {
    const one = { ...action(changed, name), command: 'kubectl it' }
    const text = (await planRenderers.terraform())({ ...report, plan: { ...plan, actions: [one] } }, look)
    const code = text.replaceAll(/^#.*$/gm, '').replaceAll(/"(\\.|[^"\\])*"/g, '""')
    for (const [open, close] of ['{}', '[]', '()'])
      expect(code.split(open ?? '').length, text).toBe(code.split(close ?? '').length)
    if (name === 'a restart') expect(text).toContain('# no resource of Terraform does this: kubectl it')
    else expect(text).not.toContain('no resource of Terraform')
    expect(text, 'what is left to a person is not left out').toContain('# by hand (aws/role-exists): Do it.')
  })
})

describe('a plan as JSON fits its schema', () => {
  const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(planJsonSchema()))
  const asJson = async (one: PlanReport) => JSON.parse((await planRenderers.json())(one, look))
  test('full of hostile text', async () => {
    expect(schema(await asJson(report)), JSON.stringify(schema.errors)).toBe(true)
  })
  test('for cases of every kind', async () => {
    const planned = cases.filter(({ plan }) => plan !== undefined).filter((_, index) => index % 5 === 0)
    for (const one of planned) {
      const data = await asJson({ ...report, plan: await planCase(one, await sourceOf(one)) })
      expect(schema(data), `${one.name}: ${JSON.stringify(schema.errors)}`).toBe(true)
    }
  })
  test('and what lacks a promise does not', async () => {
    const data = await asJson(report)
    expect(schema({ ...data, rehearsed: 'fine' })).toBe(false)
    expect(schema({ ...data, extra: 1 })).toBe(false)
    expect(schema({ ...data, actions: [{ ...data.actions[0], effects: [] }] })).toBe(false)
  })
})
// The schema and the type say the same, or this file does not compile.
type Plain<T> = T extends readonly (infer One)[]
  ? readonly Plain<One>[]
  : T extends object
    ? { readonly [K in keyof T]: Plain<T[K]> }
    : T
type Told = Pick<Plain<z.infer<typeof planSchema>>, 'before' | 'rehearsed' | 'tool' | 'schema' | 'source' | 'notes'>
const promised = (described: Told): Pick<Plan, 'before' | 'rehearsed'> & Omit<PlanReport, 'plan'> => described
void promised

test('owners are told by their marks', () => {
  const marked = (metadata: object) => ownerOf(JSON.parse(JSON.stringify({ metadata })))?.tool
  expect(marked({ labels: { 'app.kubernetes.io/managed-by': 'Helm' } })).toBe('Helm')
  expect(marked({ labels: { 'app.kubernetes.io/managed-by': 'Helm', 'kustomize.toolkit.fluxcd.io/name': 'x' } })).toBe(
    'Flux',
  )
  expect(marked({ annotations: { 'argocd.argoproj.io/tracking-id': 'x' } })).toBe('Argo CD')
  expect(marked({ labels: { 'app.kubernetes.io/managed-by': 'eksctl' } })).toBe('eksctl')
  expect(marked({ managedFields: [{ manager: 'kubectl' }, { manager: 'Terraform' }] })).toBe('Terraform')
  expect(marked({ labels: { app: 'cart' }, managedFields: [{ manager: 'kubectl' }] })).toBeUndefined()
  expect(ownerByTags([{ Key: 'alpha.eksctl.io/cluster-name', Value: 'x' }])?.tool).toBe('eksctl')
  expect(ownerByTags([{ Key: 'ManagedBy', Value: 'terraform' }])?.tool).toBe('Terraform')
  expect(ownerByTags([{ Key: 'team', Value: 'shop' }])).toBeUndefined()
})
