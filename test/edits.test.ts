/** Edits of objects and of lists in them: as a JSON patch that a server carries out, and back again to the byte. */
import { describe, expect, test } from 'vitest'
import { judgeEdits, type ObjectEdit } from '../src/apply/edits.ts'
import type { Json } from '../src/core/json.ts'
import { pinned } from '../src/domain/kubernetes-changes.ts'
import { changeTemplate, type Template } from '../src/domain/template-changes.ts'
import { jsonPatch } from '../src/lab/kubernetes-patches.ts'

/** Done and taken back by the patches alone; what stands in between. */
function through(object: Json, edits: readonly ObjectEdit[]): Json {
  const judged = judgeEdits(object, edits)
  if (judged.state !== 'ready') throw new Error(JSON.stringify(judged))
  const between = jsonPatch(object, [...judged.patch])
  expect(judgeEdits(between, judged.undo), 'and the way back is clear').toMatchObject({ state: 'ready' })
  const back = judgeEdits(between, judged.undo)
  if (back.state === 'ready') expect(JSON.stringify(jsonPatch(between, [...back.patch]))).toBe(JSON.stringify(object))
  return between
}
const list = ['a', 'b', 'c']

describe('in a list', () => {
  test('a member in the middle goes, and comes back to its place', () => {
    expect(through({ list }, [{ path: ['list', 1], before: 'b' }])).toEqual({ list: ['a', 'c'] })
  })
  test('several go, from the last to the first', () => {
    const edits = [
      { path: ['list', 2], before: 'c' },
      { path: ['list', 0], before: 'a' },
    ]
    expect(through({ list }, edits)).toEqual({ list: ['b'] })
    expect(judgeEdits({ list }, edits.toReversed())).toMatchObject({ state: 'moved' })
  })
  test('a member goes in between, and at the end', () => {
    expect(through({ list }, [{ path: ['list', 1], after: 'x' }])).toEqual({ list: ['a', 'x', 'b', 'c'] })
    expect(through({ list }, [{ path: ['list', 3], after: 'x' }])).toEqual({ list: [...list, 'x'] })
    expect(judgeEdits({ list }, [{ path: ['list', 4], after: 'x' }])).toMatchObject({ state: 'moved' })
  })
  test('one joins, and is taken out wherever it is by then', () => {
    const join = { path: ['list', '-'], after: 'x' }
    expect(through({ list }, [join])).toEqual({ list: [...list, 'x'] })
    expect(through({}, [join])).toEqual({ list: ['x'] })
    expect(judgeEdits({ list: ['x', 'a'] }, [join])).toEqual({ state: 'already' })
    const judged = judgeEdits({ list }, [join])
    const undo = judged.state === 'ready' ? judged.undo : []
    const elsewhere = judgeEdits({ list: ['x', ...list, 'y'] }, undo)
    expect(elsewhere.state === 'ready' && jsonPatch({ list: ['x', ...list, 'y'] }, [...elsewhere.patch])).toEqual({
      list: [...list, 'y'],
    })
    expect(judgeEdits({ list }, undo), 'it is out already').toEqual({ state: 'already' })
  })
  test('a list that was made for it goes with its last member', () => {
    expect(through({ spec: {} }, [{ path: ['spec', 'deep', 'list', '-'], after: 'x' }])).toEqual({
      spec: { deep: { list: ['x'] } },
    })
  })
})

describe('pinned', () => {
  const object = {
    webhooks: [
      { name: 'one', policy: 'Ignore' },
      { name: 'two', policy: 'Ignore' },
    ],
  }
  const edits = [
    { path: ['webhooks', 1, 'policy'], before: 'Ignore', after: 'Fail' },
    pinned(['webhooks', 1, 'name'], 'two'),
  ]
  test('an edit changes what stands under the name, and nothing else', () => {
    const judged = judgeEdits(object, edits)
    expect(judged).toMatchObject({
      state: 'ready',
      patch: [{ op: 'replace', path: '/webhooks/1/policy', value: 'Fail' }],
    })
    through(object, edits)
  })
  test('and nothing where another stands there now', () => {
    const turned = { webhooks: object.webhooks.toReversed() }
    expect(judgeEdits(turned, edits)).toMatchObject({ state: 'moved', what: expect.stringContaining('"two"') })
    const done = {
      webhooks: [
        { name: 'two', policy: 'Ignore' },
        { name: 'one', policy: 'Fail' },
      ],
    }
    expect(judgeEdits(done, edits), 'the same value under another name is not done').toMatchObject({ state: 'moved' })
  })
})

describe('a template that changes, on paper', () => {
  const token = (audience: string) => ({
    projected: { sources: [{ serviceAccountToken: { audience, path: 'token' } }] },
    name: 'cloud',
  })
  const held: Template = {
    place: { resource: 'deployments', namespace: 'shop', name: 'cart' },
    workload: 'deployment/cart',
    pod: 'cart-1',
    template: { spec: { volumes: [token('wrong')], containers: [{ name: 'cart', env: [{ name: 'A', value: 'b' }] }] } },
    made: {
      metadata: { name: 'cart-1', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        volumes: [token('wrong'), { name: 'aws-iam-token', projected: {} }],
        containers: [
          {
            name: 'cart',
            env: [
              { name: 'A', value: 'b' },
              { name: 'AWS_ROLE_ARN', value: 'r' },
            ],
          },
        ],
      },
    },
    time: '2026-01-02T00:00:00Z',
  }
  const audience = ['spec', 'volumes', 0, 'projected', 'sources', 0, 'serviceAccountToken', 'audience']
  const podAfter = (path: (string | number)[], before: Json, after?: Json) =>
    changeTemplate(held, [{ path, before, ...(after === undefined ? {} : { after }) }]).effects.at(-1)?.after
  test('is what its pods would be, with what webhooks had added', () => {
    expect(podAfter(audience, 'wrong', 'right')).toMatchObject({
      metadata: { name: 'cart-1', creationTimestamp: '2026-01-02T00:00:00Z' },
      spec: { volumes: [token('right'), { name: 'aws-iam-token' }] },
    })
    expect(podAfter(['spec', 'containers', 0, 'env', 0], { name: 'A', value: 'b' })).toMatchObject({
      spec: { containers: [{ env: [{ name: 'AWS_ROLE_ARN', value: 'r' }] }] },
    })
  })
  test('is unknown where a webhook would see another pod', () => {
    expect(podAfter(['metadata', 'labels', 'a'], 'b', 'c')).toBeUndefined()
    expect(podAfter(['spec', 'serviceAccountName'], 'cart', 'till')).toBeUndefined()
    expect(podAfter(['spec', 'containers', 0, 'env'], [{ name: 'AWS_ROLE_ARN' }])).toBeUndefined()
  })
  test('keeps an index on the member that was seen there', () => {
    const { change } = changeTemplate(held, [{ path: audience, before: 'wrong', after: 'right' }])
    expect(change.input.edits).toContainEqual(pinned(['spec', 'template', 'spec', 'volumes', 0, 'name'], 'cloud'))
  })
})
