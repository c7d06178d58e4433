/** Which objects of further kinds are judged, and what is asked to find them. */
import { expect, test } from 'vitest'
import { absent, type Fact, known, type Question, type Source, unknown } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { subjectsFor } from '../src/probes/subjects.ts'

const group = 'infrastructure.cluster.x-k8s.io'
const kinds = new Set(['AWSCluster', 'AWSClusterRoleIdentity'])

/** A cluster that serves these groups, and answers lists as told; whatever else is asked is not there. */
function clusterOf(groups: readonly string[], lists: { readonly [call: string]: (question: Question) => Fact<Json> }) {
  const asked: string[] = []
  const source: Source = {
    name: 'cluster',
    ask: (question) => {
      const { call } = question
      asked.push(call)
      if (call === 'nonresource /apis/get') return known({ groups: groups.map((name) => ({ name })) }, question)
      if (call === 'errors') return known({ errors: [] }, question)
      return lists[call]?.(question) ?? absent(question)
    },
  }
  return { source, asked }
}

const everybody = { targets: [], allNamespaces: true, kinds } as const
const cluster = {
  kind: 'AWSCluster',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: { identityRef: { kind: 'AWSClusterRoleIdentity', name: 'tenant' } },
}
const identity = { kind: 'AWSClusterRoleIdentity', metadata: { name: 'tenant', namespace: 'left-in' }, spec: {} }

test('a cluster without the group is asked once which groups it serves, and nothing more', async () => {
  const { source, asked } = clusterOf(['apps'], {})
  await subjectsFor(source, everybody)
  expect(asked.filter((call) => call === 'nonresource /apis/get')).toHaveLength(1)
  expect(asked.filter((call) => call.startsWith('awscluster'))).toEqual([])
})

test('where the group is served, each kind is listed, and what is used belongs to its user', async () => {
  const { source } = clusterOf([group], {
    'awsclusters/list': (question) => known({ items: [cluster], complete: true }, question),
    'awsclusterroleidentities/list': (question) => known({ items: [identity], complete: true }, question),
  })
  const { subjects } = await subjectsFor(source, everybody)
  expect(subjects).toContainEqual({ kind: 'AWSCluster', namespace: 'shop', name: 'orders' })
  expect(subjects).toContainEqual({ kind: 'AWSClusterRoleIdentity', name: 'tenant', of: ['AWSCluster shop/orders'] })
})

test('kinds that nobody judges are not asked for, nor any where somebody was named', async () => {
  const { source, asked } = clusterOf([group], {})
  await subjectsFor(source, { ...everybody, kinds: new Set(['Role']) })
  await subjectsFor(source, { ...everybody, targets: ['sa/cart'] })
  expect(asked.filter((call) => /awscluster|\/apis/.test(call))).toEqual([])
})

test('the cluster answers for a kind that may not be listed', async () => {
  const { source } = clusterOf([group], {
    'awsclusters/list': (question) => unknown('forbidden', 'may not be listed', question),
  })
  const { subjects } = await subjectsFor(source, everybody)
  expect(subjects[0]).toMatchObject({ kind: 'Cluster', standsForKinds: ['AWSCluster'] })
})
