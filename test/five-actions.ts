/** A plan of five actions on five places, and the writers that carry it out in the lab. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { openWriters } from '../src/apply/open.ts'
import type { Writers } from '../src/apply/writer.ts'
import type { PlannedAction } from '../src/core/plan.ts'
import { addClientId, changeTrustPolicy } from '../src/domain/aws-changes.ts'
import { annotate, createObject, restartWorkload } from '../src/domain/kubernetes-changes.ts'
import type { Lab } from '../src/lab/lab.ts'
import { account, documents, planned, provider } from './acting.ts'
import { api } from './labs.ts'

export const accountPath = '/api/v1/namespaces/shop/serviceaccounts/cart'
export const cart = { resource: 'serviceaccounts', namespace: 'shop', name: 'cart' }
export const journalOf = (state: string): string => join(state, 'kubectl-wi')

/** The SDK looks for credentials in the environment of its process. */
export async function writersOf(lab: Lab): Promise<Writers> {
  Object.assign(process.env, lab.env)
  return openWriters({ flags: {}, version: '0', env: lab.env })
}

/** Five actions on five places, as fixers would make them. */
export async function five(lab: Lab): Promise<readonly PlannedAction[]> {
  const { body } = await api(lab, 'GET', accountPath)
  const from = JSON.parse(documents('broken')['role.json'] ?? '').Role.AssumeRolePolicyDocument
  const to = JSON.parse(JSON.stringify(from).replace('shop-prod', 'shop'))
  expect(body.metadata.name).toBe('cart')
  return [
    { ...annotate(cart, 'example.com/note', undefined, 'new'), summary: 'Annotate the account' },
    { ...changeTrustPolicy(account, 'cart', from, to), summary: 'Change the trust policy' },
    {
      ...createObject(
        { resource: 'configmaps', namespace: 'shop', name: 'made' },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' }, data: { a: 'b' } },
      ),
      summary: 'Make a ConfigMap',
    },
    { ...addClientId(account, provider, 'other'), summary: 'Accept another audience' },
    {
      ...restartWorkload({ resource: 'deployments', namespace: 'shop', name: 'cart' }, []),
      summary: 'Restart the cart',
    },
  ].map((action) => planned({ ...action, safety: 'review' }))
}
