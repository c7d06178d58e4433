/** What is said after fix --apply, where pods are made anew: of the new ones, once they are there, and of nothing else. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { restartWorkload } from '../../src/domain/kubernetes-changes.ts'
import { kubernetes } from '../../src/domain/questions.ts'
import { notBackYet, successors } from '../../src/examine/again.ts'
import { forgetStates, stateFolder, wi } from '../acting.ts'
import { api, closeLabs, start } from '../labs.ts'

afterAll(async () => {
  forgetStates()
  await closeLabs()
})

const mounted = join(
  import.meta.dirname,
  '../fixtures/workload/static-credentials-are-absent/credentials-file.case.yaml',
)
const only = 'workload/static-credentials-are-absent'

test('while there is no pod, nothing is said to be healthy', async () => {
  const lab = await start(mounted, { podsTake: 6000 })
  const fixed = await wi(lab, stateFolder(), ['fix', '-A', '--only', only, '--apply', '--yes', '--wait', '15s'])
  const after = await wi(lab, stateFolder(), ['doctor', '-A'])
  expect(after.status, after.out).toBe(1)
  expect(fixed.status, fixed.out + fixed.err).toBe(after.status)
}, 40_000)

test('and where none comes in time, that is said', async () => {
  const lab = await start(mounted, { podsTake: 60_000 })
  const fixed = await wi(lab, stateFolder(), ['fix', '-A', '--only', only, '--apply', '--yes', '--wait', '1s'])
  expect(fixed.status, fixed.out + fixed.err).toBe(3)
  expect(fixed.out.replaceAll(/\s+/g, ' ')).toContain('was not there to be examined')
})

test('what the template has lost, the new pod has lost, and what a webhook has added is there', async () => {
  const lab = await start(mounted)
  await wi(lab, stateFolder(), ['fix', '-A', '--only', only, '--apply', '--yes', '--wait', '1s'])
  const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/pods')
  const [container] = body.items[0].spec.containers
  expect(container.volumeMounts).toMatchObject([{ name: 'eks-pod-identity-token' }])
  expect(container.env).toHaveLength(2)
})

const restart = restartWorkload({ resource: 'deployments', namespace: 'shop', name: 'cart' }, ['cart-6b7f9c5d4-x2x7k'])
const pod = (namespace: string, name: string) => ({ subject: { kind: 'Pod', namespace, name } })

test('another pod of the workload takes the place of the one that went', () => {
  expect(restart.effects.at(-1)?.question).toEqual(kubernetes.get('pods', 'shop', 'cart-6b7f9c5d4-x2x7k'))
  expect(notBackYet([restart], [pod('shop', 'cart-5c7f9c5d4-aaaaa')])).toEqual([])
  expect(notBackYet([restart], [pod('shop', 'till-5c7f9c5d4-aaaaa')])).toHaveLength(1)
  expect(notBackYet([restart], [pod('other', 'cart-5c7f9c5d4-aaaaa')])).toHaveLength(1)
  expect(notBackYet([restart], [])).toHaveLength(1)
})

test('a pod that was named is looked for at its workload', () => {
  const targets = ['pod/cart-6b7f9c5d4-x2x7k', 'sa/cart', 'pod/other']
  expect(successors(targets, [restart])).toEqual(['deployment/cart', 'sa/cart', 'pod/other'])
})
