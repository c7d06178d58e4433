/** Which changes want the name of what they change typed, and which do with a yes. */
import { describe, expect, it, test } from 'vitest'
import { changeAssociation, changeTrustPolicy, createProvider, createRole } from '../src/domain/aws-changes.ts'
import { changeThumbprints } from '../src/domain/aws-role-changes.ts'
import { addCredential, assignRole, rewriteCredential } from '../src/domain/azure-changes.ts'
import { changeProvider, grantMember, serveMetadata } from '../src/domain/gcp-changes.ts'
import { annotate, createObject, patchObject, restartWorkload } from '../src/domain/kubernetes-changes.ts'
import { saysProduction, touchesProduction } from '../src/domain/production.ts'
import { account, provider } from './acting.ts'

const at = (resource: string, namespace: string, name: string) => ({ resource, namespace, name })
const note = (namespace: string) => annotate(at('serviceaccounts', namespace, 'cart'), 'a', undefined, 'b')
const cart = at('deployments', 'shop', 'cart')
const edit = { path: ['spec', 'template', 'spec', 'serviceAccountName'], before: 'till', after: 'cart' }
const one = { partition: 'aws', account }
const trusted = { issuer: 'https://oidc.example', subject: 'system:serviceaccount:shop:cart', audience: 'api://x' }
const question = { system: 'azure', call: 'credentials', input: {} } as const
const list = { question, holder: 'f0000000-0000-4000-8000-000000000000', owner: '' }
const seen = { name: 'of-till', issuer: '', subject: '', audiences: [], at: 0 }
const storage = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/carts'
const grant = (resource: string) =>
  grantMember({ resource, bindings: [] }, 'roles/x', 'serviceAccount:p.svc.id.goog[shop/cart]')
const pool = 'projects/1/locations/global/workloadIdentityPools/p/providers/eks'

describe('what touches production', () => {
  test.each([
    ['a restart', restartWorkload(cart, []), 'cart', 'running pods'],
    ["another member of a workload's pods", patchObject(cart, [edit]), 'cart', 'running pods'],
    [
      'another mode of a node pool',
      serveMetadata({ name: 'c', project: 'p', location: 'l' }, { name: 'big', concealed: false }, 0),
      'big',
      'running pods',
    ],
    ['a trust policy', changeTrustPolicy(account, 'cart', {}, {}), 'cart', 'trust'],
    ['thumbprints', changeThumbprints(account, provider, [], []), provider.split('/').at(-1), 'trust'],
    [
      'another role for an association',
      changeAssociation('c', 'a-1', { namespace: 'shop', serviceAccount: 'cart', roleArn: 'x' }, 'y'),
      'cart',
      'trust',
    ],
    ['a federated credential that is there', rewriteCredential(list, seen, trusted), 'of-till', 'trust'],
    ['who may act as a Google service account', grant('serviceAccounts/a@p.example'), 'a@p.example', 'trust'],
    ['a provider that is there', changeProvider(pool, ['disabled'], true, false), 'eks', 'trust'],
    [
      'aws-auth',
      patchObject(at('configmaps', 'kube-system', 'aws-auth'), [{ path: ['data', 'mapRoles'], after: '' }]),
      'aws-auth',
      'enter the cluster',
    ],
    ['anything in such a namespace', note('shop-prod'), 'cart', 'namespace shop-prod'],
  ])('%s', (_what, changed, name, why) => {
    expect(touchesProduction(changed?.change ?? question, 'kind')).toEqual({ name, why: expect.stringContaining(why) })
  })

  test.each([
    ['an annotation', note('shop')],
    ['a member of the workload itself', patchObject(cart, [{ path: ['metadata', 'labels', 'a'], after: 'b' }])],
    ['the pods that a CronJob will make', patchObject({ ...cart, resource: 'cronjobs' }, [edit])],
    ['another aws-auth', createObject(at('configmaps', 'shop', 'aws-auth'), {})],
    ['a provider that is not there yet', createProvider(one, 'https://oidc.example', [])],
    ['a role that is not there yet', createRole(one, 'cart', {})],
    ['one federated credential more', addCredential(list, 'cart', trusted)],
    ['a permission', grant('buckets/carts')],
  ])('not %s, but in such a context that too', (_what, changed) => {
    expect(touchesProduction(changed?.change ?? question, 'kind')).toBeUndefined()
    expect(
      touchesProduction(changed?.change ?? question, 'arn:aws:eks:us-west-2:111122223333:cluster/prod'),
    ).toBeDefined()
  })

  it('names the storage account that a role is given at, not the number of the gift', () => {
    const { change } = assignRole(question, 'p', { name: 'r', id: 'i' }, storage)
    expect(touchesProduction(change, 'prod')?.name).toBe('carts')
  })
})

test('a name says production by a word of its own', () => {
  const all = ['prod', 'shop-prod', 'PRODUCTION', 'gke_shop_europe-west1_prod2', 'aks.production.eu', 'prod-nonprod']
  expect(all.filter(saysProduction)).toEqual(all)
  const none = ['', 'shop', 'products', 'nonprod', 'non-prod', 'pre-production', 'prodigy', 'reproduction']
  expect(none.filter(saysProduction)).toEqual([])
})
