/** `doctor --show-permissions`: text that can be applied as it is, and no more in it than the selection asks for. */
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { type PermissionFlags, permissions } from '../src/examine/permissions.ts'
import { asked } from '../src/knowledge/asked.ts'
import { notAskedLive } from '../src/knowledge/permissions.ts'
import { awsTests } from './live-amazon.ts'

const plain: PermissionFlags = {
  ...{ overlay: false, exchange: true, 'all-namespaces': false, 'cloud-credentials': 'default', output: 'table' },
}
type Role = {
  readonly rules: readonly {
    readonly apiGroups?: readonly string[]
    readonly resources?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}
const dataOf = async (flags: Partial<PermissionFlags>, targets: readonly string[] = []) => {
  const data: { kubernetes: Role; aws?: { Statement: readonly [{ Action: readonly string[] }] } } = JSON.parse(
    await permissions(targets, { ...plain, output: 'json', ...flags }),
  )
  const rules = data.kubernetes.rules.flatMap(({ resources = [], verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
  )
  return { ...data, rules, actions: data.aws?.Statement[0].Action ?? [] }
}

describe('doctor --show-permissions', () => {
  test('prints one ClusterRole for kubectl, and everything else as comments', async () => {
    const text = await permissions([], plain)
    const documents = parseAllDocuments(text).map((one) => one.toJS())
    const { kubernetes, actions } = await dataOf({})
    expect(documents).toEqual([kubernetes])
    for (const action of actions) expect(text).toContain(`#         "${action}"`)
    expect(text).not.toMatch(/[ \t]\n/)
  })

  test('needs less where less is asked', async () => {
    const all = await dataOf({})
    expect(all.rules).toEqual(expect.arrayContaining(['list pods', 'create serviceaccounts/token', 'get secrets']))
    expect(all.actions).toEqual(expect.arrayContaining(['iam:GetPolicy', 'iam:GetPolicyVersion', 'iam:GetRole']))
    expect((await dataOf({ exchange: false })).rules).not.toContain('create serviceaccounts/token')
    expect((await dataOf({ 'cloud-credentials': 'none' })).aws).toBeUndefined()
    const one = await dataOf({ check: ['aws/role-exists'] }, ['sa/cart'])
    expect(one.actions).toContain('iam:GetRole')
    expect(one.actions).not.toContain('iam:GetPolicyVersion')
    expect(one.rules).not.toContain('get secrets')
    expect(one.actions.length).toBeLessThan(all.actions.length)
  })

  test('asks for what concerns the cluster itself only where nobody is named', async () => {
    expect((await dataOf({})).actions).toContain('eks:ListAccessEntries')
    expect((await dataOf({}, ['sa/cart'])).actions).not.toContain('eks:ListAccessEntries')
  })

  test('of all namespaces it lists what it would get one by one', async () => {
    expect((await dataOf({})).rules).toContain('get namespaces')
    const all = await dataOf({ 'all-namespaces': true })
    expect(all.rules).toContain('list namespaces')
    expect(all.rules).not.toContain('get namespaces')
  })

  test('gives -o yaml the same data, in which no version becomes a date', async () => {
    const text = await permissions([], { ...plain, output: 'yaml' })
    expect(text).toContain('Version: "2012-10-17"')
    const [document] = parseAllDocuments(text)
    expect(document?.toJS()).toEqual(JSON.parse(await permissions([], { ...plain, output: 'json' })))
  })

  test('says that documents need none', async () => {
    await expect(permissions([], { ...plain, file: ['./collected'] })).rejects.toThrow(/leave out -f/)
    await expect(permissions([], { ...plain, file: ['./collected'], overlay: true })).resolves.toContain('ClusterRole')
    await expect(permissions(['cart'], plain)).rejects.toThrow(/is no target/)
  })
})

describe('the calls that no live account is asked', () => {
  const { cloud } = awsTests()
  test('are those that the AWS source passes over', async () => {
    const { ask } = await cloud({})
    const kinds = new Set(Object.values(asked.probes).flatMap(({ always, whole }) => [...always, ...whole]))
    const passedOver: string[] = []
    const ofAws = [...kinds].filter((one) => one.startsWith('aws ')).sort()
    for (const kind of ofAws) {
      const fact = await ask({ system: 'aws', call: kind.slice('aws '.length), input: {} })
      if (fact.state === 'unknown' && fact.why === 'not-asked') passedOver.push(kind)
    }
    expect(passedOver, 'notAskedLive in src/knowledge/permissions.ts').toEqual(
      ofAws.filter((one) => notAskedLive.has(one)),
    )
  })
})
