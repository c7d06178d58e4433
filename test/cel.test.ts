/** Google's CEL over a token's claims: the examples of its documentation, each condition explained term by term, and what cannot be read named with its place. */
import { describe, expect, test } from 'vitest'
import { evaluate, evaluateProvider, explain, extract } from '../src/domain/gcp-cel.ts'
import { guarded } from '../src/domain/gcp-claim-guards.ts'
import { cases } from './case-files.ts'
import { examineCase, sourceOf } from './examining.ts'

const claims = {
  iss: 'https://oidc.lab.example/id/LAB',
  sub: 'system:serviceaccount:backend:cart',
  aud: ['https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q'],
  groups: ['shop', 'desk'],
  'kubernetes.io': { namespace: 'backend', serviceaccount: { name: 'cart' }, pod: { name: 'cart-1' } },
}
const context = { assertion: claims, google: { subject: claims.sub }, attribute: { namespace: 'backend' } }

describe('extract, as Google documents it', () => {
  const object = 'projects/_/buckets/acme-orders-aaa/objects/data_lake/orders/order_date=2019-11-03/aef87g87ae0876'
  test.each([
    ['id/123', 'id/{end}', '123'],
    ['id/123', '{start}/', 'id'],
    ['id/123', '{all}', 'id/123'],
    ['id/123', 'no/{end}', ''],
    ['id/123', 'id/', ''],
    [object, '/order_date={date}/', '2019-11-03'],
    [object, 'buckets/{name}/', 'acme-orders-aaa'],
    [object, '/orders/{empty}order_date', ''],
    [object, '/orders/{none}/order_date=', ''],
  ])('%s by %s', (text, template, expected) => {
    expect(extract(text, template)).toBe(expected)
    expect(evaluate(`assertion.text.extract('${template}')`, { assertion: { text } })).toMatchObject({
      value: expected,
    })
  })
})

describe('a condition, whole and by its terms', () => {
  test.each([
    ["assertion['kubernetes.io']['namespace'] in ['backend', 'monitoring']", true, [true]],
    [
      "assertion.sub.startsWith('system:serviceaccount:backend:') && attribute.namespace == 'desk'",
      false,
      [true, false],
    ],
    [
      "google.subject.endsWith(':desk') || assertion['kubernetes.io'].serviceaccount.name == 'cart'",
      true,
      [false, true],
    ],
    ["has(assertion.email) && assertion.email.contains('@shop.example')", false, [false, 'missing']],
    ["!has(assertion.email) && 'shop' in assertion.groups && size(assertion.groups) == 2", true, [true, true, true]],
    ["{'backend': 'cart'}[attribute.namespace] == assertion.sub.split(':')[3]", true, [true]],
    ["assertion.groups.join('+') == 'shop+desk'", true, [true]],
    ["assertion.sub.extract('serviceaccount:{rest}') == 'backend:cart' ? true : false", true, [true]],
  ])('%s', (condition, expected, terms) => {
    expect(evaluate(condition, context)).toEqual({ state: 'value', type: 'bool', value: expected })
    const told = explain(condition, context)
    expect(told.map(({ outcome }) => (outcome.state === 'value' ? outcome.value : outcome.state))).toEqual(terms)
    for (const { text } of told) expect(text).not.toMatch(/&&|\|\|/)
  })
  test('each term names the claims that it read, and what they were', () => {
    const [first, second] = explain(
      "assertion['kubernetes.io']['namespace'] == 'shop' && google.subject != ''",
      context,
    )
    expect(first?.reads).toEqual([{ path: "assertion['kubernetes.io']['namespace']", value: 'backend' }])
    expect(second?.reads).toEqual([{ path: 'google.subject', value: claims.sub }])
  })
  test('a claim that is not there is missing, and not false', () => {
    expect(evaluate("assertion.email == 'a@shop.example'", context)).toEqual({
      state: 'missing',
      claim: 'assertion.email',
    })
    expect(evaluate("assertion['kubernetes.io']['job']['name'] == 'x'", context)).toMatchObject({ state: 'missing' })
  })
  test('what Google refuses, or this evaluator does not know, is unknown, and not false', () => {
    expect(evaluate('timestamp(int(assertion.iat)) < timestamp(1)', context)).toMatchObject({ state: 'unknown' })
    expect(evaluate("assertion.sub.lowerAscii() == 'x'", context)).toMatchObject({ state: 'unknown' })
  })
})

describe('what cannot be parsed', () => {
  test.each([
    ["assertion.sub == 'x", 1],
    ["assertion.sub = 'x'", 1],
    ["assertion.sub ==\n\n in ['x']", 3],
    ['assertion.sub in [', 1],
  ])('%s is named with its place', (condition, line) => {
    const outcome = evaluate(condition, context)
    expect(outcome).toMatchObject({ state: 'unparsable', line })
    if (outcome.state === 'unparsable') expect(outcome.column).toBeGreaterThan(0)
    expect(evaluateProvider({ 'google.subject': 'assertion.sub' }, condition, claims).condition).toEqual(outcome)
  })
  test('the finding says where, and is neither passed nor failed', async () => {
    const one = cases.find(({ name }) => name.endsWith('open-condition-does-not-parse.case.yaml'))
    if (one === undefined) throw new Error('there is no such case')
    const { findings } = await examineCase(one, await sourceOf(one), true)
    const found = findings.find(({ check }) => check === 'gcp/provider-admits-token-claims')
    expect(found?.status).toBe('unknown')
    expect(JSON.stringify(found?.lacks)).toMatch(/the condition cannot be parsed at line \d+, column \d+/)
  })
})

describe('a mapping that does without a claim', () => {
  const job = "assertion['kubernetes.io']['job']['name']"
  test('gives the empty text where it is missing, and the claim where it is there', () => {
    const expression = guarded(job, job) ?? ''
    expect(evaluate(expression, context)).toMatchObject({ value: '' })
    const own = { ...claims, 'kubernetes.io': { ...claims['kubernetes.io'], job: { name: 'nightly' } } }
    expect(evaluate(expression, { assertion: own })).toMatchObject({ value: 'nightly' })
  })
  test('is not made of what is no plain path', () => {
    expect(guarded('google.subject', 'google.subject')).toBeUndefined()
    expect(guarded(job, "assertion[attribute.x]['y']")).toBeUndefined()
  })
})
