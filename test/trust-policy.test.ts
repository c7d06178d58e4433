/** Trust policies judged: the vectors, the laws of three-valued judgement, and one row per kind of miss. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { malformations } from '../src/domain/aws-trust-form.ts'
import { type Decision, evaluateTrustPolicy, type MissKind, type TrustContext } from '../src/domain/aws-trust-policy.ts'

const Vector = z.object({
  name: z.string(),
  policy: z.unknown(),
  context: z
    .object({
      issuer: z.string().exactOptional(),
      sub: z.string().exactOptional(),
      aud: z.union([z.string(), z.array(z.string())]).exactOptional(),
      accountId: z.string().exactOptional(),
      amr: z.array(z.string()).exactOptional(),
      now: z.string().exactOptional(),
      sourceIp: z.string().exactOptional(),
      sourceVpce: z.string().exactOptional(),
      secureTransport: z.boolean().exactOptional(),
      region: z.string().exactOptional(),
      sessionName: z.string().exactOptional(),
      keys: z.record(z.string(), z.string()).exactOptional(),
    })
    .strict(),
  expected: z.enum(['allow', 'deny', 'implicit-deny']),
  because: z.string(),
})
const vectors = z
  .array(Vector)
  .parse(parse(readFileSync(new URL('./fixtures/vectors/aws-trust.yaml', import.meta.url), 'utf8')))

const ACCOUNT = '111122223333'
const HOST = 'oidc.eks.us-east-1.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'
const OTHER = 'oidc.eks.us-east-1.amazonaws.com/id/00AA9C41E7B84F6AB2F0C1D3E4F50617'
const SUBJECT = 'system:serviceaccount:shop:cart'
const arn = (hostPath: string, account = ACCOUNT): string => `arn:aws:iam::${account}:oidc-provider/${hostPath}`
const call = {
  issuer: `https://${HOST}`,
  sub: SUBJECT,
  aud: 'sts.amazonaws.com',
  accountId: ACCOUNT,
} satisfies TrustContext
const blind = {
  sub: SUBJECT,
  aud: 'sts.amazonaws.com',
  accountId: ACCOUNT,
  unknown: ['issuer', '*'],
} satisfies TrustContext

const statement = (parts: object = {}): object => ({
  Effect: 'Allow',
  Principal: { Federated: arn(HOST) },
  Action: 'sts:AssumeRoleWithWebIdentity',
  ...parts,
})
const policy = (...statements: readonly object[]): object => ({ Version: '2012-10-17', Statement: statements })
const under = (operator: string, values: object): object => statement({ Condition: { [operator]: values } })

// What may become of a decision if less is seen. With no Allow left the call is refused, whether or not a Deny applies.
const open = (whole: Decision): readonly Decision[] =>
  whole === 'depends'
    ? ['depends', 'allow', 'deny', 'implicit-deny']
    : whole === 'deny'
      ? ['deny', 'implicit-deny', 'depends']
      : [whole, 'depends']

describe('vectors', () => {
  test('all are there', () => expect(vectors).toHaveLength(149))
  test.each(vectors)('$name', ({ policy, context, expected, because }) => {
    const { decision, dependsOn, malformed, cause } = evaluateTrustPolicy(policy, context)
    expect({ decision, dependsOn, malformed }, because).toEqual({ decision: expected, dependsOn: [], malformed: [] })
    expect(cause !== undefined, 'a refusal has a cause, an admission has none').toBe(decision !== 'allow')
  })
  test.each(vectors)('$name, with one thing not seen', ({ policy, context }) => {
    const whole = evaluateTrustPolicy(policy, context).decision
    for (const name of [...Object.keys(context).filter((key) => key !== 'keys'), ...Object.keys(context.keys ?? {})]) {
      const { decision, dependsOn } = evaluateTrustPolicy(policy, { ...context, unknown: [name] })
      expect(open(whole), `without ${name}`).toContain(decision)
      expect(dependsOn.length > 0, `without ${name}`).toBe(decision === 'depends')
    }
  })
})

// Statements near the recommended one, so that decisions of every kind come up.
const PREFIXES = [HOST, HOST.toLowerCase(), OTHER, arn(HOST), 'aws', 'sts', 'token.actions.githubusercontent.com']
const CLAIMS = ['sub', 'aud', 'amr', 'iss', 'SourceIp', 'CurrentTime', 'PrincipalArn', 'ExternalId', 'RequestTag/team']
const OPERATORS = [
  ...[
    'StringEquals',
    'StringNotEquals',
    'StringLike',
    'StringNotLike',
    'StringEqualsIgnoreCase',
    'ArnLike',
    'ArnNotEquals',
  ],
  ...['NumericLessThan', 'DateGreaterThan', 'Bool', 'BinaryEquals', 'IpAddress', 'NotIpAddress', 'Null', 'Nonsense'],
]
const VALUES = [
  ...[
    SUBJECT,
    'system:serviceaccount:*',
    'system:serviceaccount:store:cart',
    'sts.amazonaws.com',
    '*',
    'true',
    'false',
    'pwd',
  ],
  ...[
    '203.0.113.0/24',
    '2026-01-01T00:00:00Z',
    `\${aws:SourceIp}`,
    `\${${HOST}:sub}`,
    `\${aws:PrincipalTag/x, 'shop'}`,
  ],
]
const value = fc.oneof(fc.constantFrom(...VALUES), fc.constantFrom<unknown>(true, 5, null, {}), fc.string())
const oneOrMore = fc.oneof(value, fc.array(value, { maxLength: 3 }))
const operator = fc
  .tuple(
    fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
    fc.constantFrom(...OPERATORS),
    fc.constantFrom('', '', 'IfExists'),
  )
  .map((parts) => parts.join(''))
const key = fc.tuple(fc.constantFrom(...PREFIXES), fc.constantFrom(...CLAIMS)).map((parts) => parts.join(':'))
const condition = fc.dictionary(operator, fc.dictionary(key, oneOrMore, { maxKeys: 2 }), { maxKeys: 2 })
const provider = fc.constantFrom(arn(HOST), arn(HOST), arn(OTHER), arn(HOST, '444455556666'), HOST)
const principal = fc.oneof(
  { weight: 5, arbitrary: provider.map((Federated) => ({ Federated })) },
  fc.constantFrom<unknown>('*', { AWS: '*' }, { Service: 'ec2.amazonaws.com' }, {}, 7),
  fc.array(provider, { maxLength: 2 }).map((Federated) => ({ Federated })),
)
const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('sts:AssumeRoleWithWebIdentity', 'sts:*', 'sts:AssumeRole*') },
  fc.constantFrom<unknown>('sts:AssumeRole', [], ['sts:TagSession', 'sts:assumerolewithwebidentity'], null),
)
const wellMeant: fc.Arbitrary<object> = fc
  .tuple(
    fc.constantFrom('Allow', 'Allow', 'Deny'),
    fc.constantFrom('Principal', 'Principal', 'NotPrincipal'),
    principal,
    action,
    fc.option(condition),
  )
  .map(([Effect, name, who, Action, Condition]) => ({
    Effect,
    [name]: who,
    Action,
    ...(Condition === null ? {} : { Condition }),
  }))
const policies = fc.record({
  Version: fc.constantFrom('2012-10-17', '2012-10-17', '2008-10-17'),
  Statement: fc.array(wellMeant, { minLength: 1, maxLength: 3 }),
})
const contexts: fc.Arbitrary<TrustContext> = fc.record(
  {
    issuer: fc.constantFrom(`https://${HOST}`, `https://${HOST}`, `https://${OTHER}`),
    sub: fc.constantFrom(SUBJECT, 'system:serviceaccount:store:cart'),
    aud: fc.constantFrom('sts.amazonaws.com', 'kubernetes'),
    accountId: fc.constantFrom(ACCOUNT, '444455556666'),
    amr: fc.array(fc.constantFrom('pwd', 'otp'), { maxLength: 2 }),
    now: fc.constantFrom('2026-06-15T08:00:00Z', '1700000000'),
    sourceIp: fc.constantFrom('203.0.113.77', '2001:db8::1'),
    keys: fc.constantFrom<Record<string, string>>({}, { 'aws:RequestTag/team': 'pwd' }),
  },
  { requiredKeys: ['issuer', 'sub', 'aud', 'accountId'] },
)
const UNSEEN = [
  'issuer',
  'sub',
  'aud',
  'accountId',
  'amr',
  'now',
  'sourceIp',
  'partition',
  'region',
  'aws:RequestTag/team',
  `${HOST}:sub`,
  '*',
]

describe('laws', () => {
  const runs = { numRuns: 2000 }

  test('decisions of every kind come up, so that the laws below are about something', () => {
    const seen = new Set(
      fc
        .sample(fc.tuple(policies, contexts), { numRuns: 2000, seed: 1 })
        .map(([p, c]) => evaluateTrustPolicy(p, c).decision),
    )
    expect([...seen].sort()).toEqual(['allow', 'deny', 'depends', 'implicit-deny'])
  })

  test('any JSON value is judged, none throws', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.record({ Version: fc.jsonValue(), Statement: fc.jsonValue() }))
    const parts = fc.record(
      { Effect: fc.jsonValue(), Principal: fc.jsonValue(), Action: fc.jsonValue(), Condition: fc.jsonValue() },
      { requiredKeys: [] },
    )
    const near = parts.map((one) => ({ Statement: [one] }))
    const blocks = fc.dictionary(operator, fc.jsonValue()).map((Condition) => ({ Statement: statement({ Condition }) }))
    fc.assert(
      fc.property(fc.oneof(anything, near, blocks), contexts, (any, context) => {
        expect(['allow', 'deny', 'implicit-deny', 'depends']).toContain(evaluateTrustPolicy(any, context).decision)
        expect(Array.isArray(malformations(any))).toBe(true)
      }),
      runs,
    )
  })

  test('a Deny that applies wins, wherever it stands', () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRoleWithWebIdentity' }
    fc.assert(
      fc.property(policies, contexts, fc.nat(3), (some, context, at) => {
        expect(
          evaluateTrustPolicy({ ...some, Statement: some.Statement.toSpliced(at, 0, deny) }, context).decision,
        ).toBe('deny')
      }),
      runs,
    )
  })

  test('one more Deny never allows', () => {
    fc.assert(
      fc.property(policies, wellMeant, contexts, (some, more, context) => {
        const before = evaluateTrustPolicy(some, context).decision
        const after = evaluateTrustPolicy(
          { ...some, Statement: [...some.Statement, { ...more, Effect: 'Deny' }] },
          context,
        ).decision
        const possible = {
          allow: ['allow', 'deny', 'depends'],
          deny: ['deny'],
          'implicit-deny': ['implicit-deny', 'deny'],
          depends: ['depends', 'deny'],
        }
        // An Allow that is certainly missing stays missing, so with an open Deny the call is refused in any case.
        expect(possible[before]).toContain(after)
      }),
      runs,
    )
  })

  test('the order of statements means nothing', () => {
    fc.assert(
      fc.property(policies, contexts, (some, context) => {
        const turned = { ...some, Statement: some.Statement.toReversed() }
        expect(evaluateTrustPolicy(turned, context).decision).toBe(evaluateTrustPolicy(some, context).decision)
      }),
      runs,
    )
  })

  test('the input is left alone, and the same input gives the same answer', () => {
    fc.assert(
      fc.property(policies, contexts, (some, context) => {
        const before = JSON.stringify([some, context])
        const first = evaluateTrustPolicy(deepFreeze(some), deepFreeze(context))
        expect(evaluateTrustPolicy(some, context)).toEqual(first)
        expect(JSON.stringify([some, context])).toBe(before)
      }),
      { numRuns: 500 },
    )
  })

  test('what is not seen opens a decision and never turns it', () => {
    fc.assert(
      fc.property(policies, contexts, fc.constantFrom(...UNSEEN), (some, context, unseen) => {
        const whole = evaluateTrustPolicy(some, context).decision
        const { decision } = evaluateTrustPolicy(some, { ...context, unknown: [unseen] })
        expect(open(whole)).toContain(decision)
      }),
      { numRuns: 5000 },
    )
  })

  test('`depends` always names what it depends on, and only it does', () => {
    fc.assert(
      fc.property(policies, contexts, fc.subarray(UNSEEN), (some, context, unknown) => {
        const { decision, dependsOn, cause } = evaluateTrustPolicy(some, { ...context, unknown })
        expect(dependsOn.length > 0).toBe(decision === 'depends')
        expect(cause !== undefined).toBe(decision === 'deny' || decision === 'implicit-deny')
      }),
      runs,
    )
  })

  test('an edit makes the call admitted where it was the only fault', () => {
    const conditions = fc.constantFrom<object>(
      { StringEquals: { [`${HOST}:sub`]: 'system:serviceaccount:shop:*', [`${HOST}:aud`]: 'sts.amazonaws.com' } },
      { StringEquals: { [`${HOST}:sub`]: ['a', 'b'] } },
      { StringLike: { [`${HOST}:sub`]: 'system:serviceaccount:store:*' } },
      { StringEquals: { [`${HOST}:aud`]: 'kubernetes', [`${HOST}:sub`]: SUBJECT } },
      { StringEquals: { [`${HOST}:aud`]: SUBJECT, [`${HOST}:sub`]: 'sts.amazonaws.com' } },
      { StringEquals: { [`${arn(HOST)}:sub`]: SUBJECT } },
      { StringEquals: { [HOST]: SUBJECT } },
      { StringEquals: { [`${OTHER}:sub`]: SUBJECT } },
      { StringEquals: { [`${HOST}:sub`]: 'x' }, StringLike: { [`${HOST}:aud`]: '*' } },
    )
    const faults = fc.oneof(
      conditions.map((Condition) => statement({ Condition })),
      fc
        .constantFrom(HOST, arn(OTHER), arn(HOST, '444455556666'))
        .map((Federated) => statement({ Principal: { Federated } })),
      fc.constant(
        statement({
          Principal: { Federated: [arn(OTHER)] },
          Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT } },
        }),
      ),
      fc.constant(statement({ Action: ['sts:AssumeRole'] })),
    )
    fc.assert(
      fc.property(faults, (fault) => {
        const whole = policy(fault)
        const { cause } = evaluateTrustPolicy(whole, call)
        const edited = edit(whole, cause?.edit?.path ?? '', cause?.edit?.from, cause?.edit?.to)
        expect(evaluateTrustPolicy(edited, call).decision).toBe('allow')
        expect(stars(edited)).toBeLessThanOrEqual(stars(whole))
      }),
    )
  })
})

const stars = (whole: unknown): number => JSON.stringify(whole).split('*').length

// Follows a path such as Statement[0].Condition.StringEquals["a:sub"]; what stands there has to be `from`.
function edit(whole: unknown, path: string, from: unknown, to: unknown): unknown {
  const names = [...path.matchAll(/\[("(?:[^"\\]|\\.)*"|\d+)\]|([A-Za-z_]\w*)/g)].map(
    (found) => found[2] ?? JSON.parse(found[1] ?? '0'),
  )
  const copy = structuredClone({ whole })
  let holder: unknown = copy
  let last: string | number = 'whole'
  for (const name of names) {
    holder = Reflect.get(Object(holder), last)
    last = name
  }
  expect(Reflect.get(Object(holder), last)).toEqual(from)
  Reflect.set(Object(holder), last, to)
  return copy.whole
}

function deepFreeze<T>(thing: T): T {
  if (typeof thing === 'object' && thing !== null) for (const inner of Object.values(thing)) deepFreeze(inner)
  return Object.freeze(thing)
}

type Row = readonly [kind: MissKind, data: object, statements: readonly object[], context?: TrustContext]

const SUB = `${HOST}:sub`
const AUD = `${HOST}:aud`
const subEquals = (wanted: unknown): object => under('StringEquals', { [SUB]: wanted })
const SWAPPED = 'oidc.us-east-1.eks.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'

const ROWS: readonly Row[] = [
  [
    'explicit-deny',
    { statement: '"not-shop"', conditions: `StringLike ${SUB} system:serviceaccount:shop:*` },
    [
      statement(),
      statement({
        Effect: 'Deny',
        Sid: 'not-shop',
        Condition: { StringLike: { [SUB]: 'system:serviceaccount:shop:*' } },
      }),
    ],
  ],
  [
    'explicit-deny',
    { statement: '[0]', conditions: 'it has no condition' },
    [statement({ Effect: 'Deny', Principal: '*' })],
  ],
  [
    'no-web-identity-statement',
    { principals: 'Service ec2.amazonaws.com, AWS arn:aws:iam::111122223333:root' },
    [statement({ Principal: { Service: 'ec2.amazonaws.com', AWS: 'arn:aws:iam::111122223333:root' } })],
  ],
  ['no-web-identity-statement', { principals: 'nobody' }, []],
  ['federated-not-arn', { observed: HOST, expected: arn(HOST) }, [statement({ Principal: { Federated: HOST } })]],
  [
    'federated-not-arn',
    { observed: HOST, expected: arn(HOST) },
    [statement({ Principal: { Federated: HOST } })],
    blind,
  ],
  [
    'federated-other-account',
    { observed: '444455556666', expected: ACCOUNT },
    [statement({ Principal: { Federated: arn(HOST, '444455556666') } })],
  ],
  [
    'federated-other-account',
    { observed: '444455556666', expected: ACCOUNT },
    [statement({ Principal: { Federated: arn(HOST, '444455556666') } })],
    blind,
  ],
  [
    'federated-host-differs',
    { observed: SWAPPED, expected: 'oidc.eks.us-east-1.amazonaws.com' },
    [statement({ Principal: { Federated: arn(SWAPPED) } })],
  ],
  [
    'federated-host-differs',
    { observed: SWAPPED, expected: 'oidc.eks.us-east-1.amazonaws.com' },
    [statement({ Principal: { Federated: arn(SWAPPED) } })],
    blind,
  ],
  [
    'federated-other-issuer',
    { observed: OTHER, expected: HOST },
    [statement({ Principal: { Federated: arn(OTHER) }, Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT } } })],
  ],
  [
    'action-missing',
    { provider: HOST, actions: 'sts:AssumeRole, sts:TagSession' },
    [statement({ Action: ['sts:AssumeRole', 'sts:TagSession'] })],
  ],
  [
    'key-has-arn-prefix',
    { key: `${arn(HOST)}:sub`, expected: SUB },
    [under('StringEquals', { [`${arn(HOST)}:sub`]: SUBJECT })],
  ],
  [
    'key-has-arn-prefix',
    { key: `${arn(HOST)}:sub`, expected: SUB },
    [under('StringLike', { [`${arn(HOST)}:sub`]: SUBJECT })],
    blind,
  ],
  [
    'key-of-other-issuer',
    { key: `${OTHER}:sub`, provider: HOST },
    [under('StringEquals', { [`${OTHER}:sub`]: SUBJECT })],
  ],
  [
    'key-of-other-issuer',
    { key: `${OTHER}:sub`, provider: HOST },
    [under('StringEquals', { [`${OTHER}:sub`]: SUBJECT })],
    blind,
  ],
  [
    'key-is-no-claim',
    { key: `${HOST}:kubernetes.io/namespace` },
    [under('StringEquals', { [`${HOST}:kubernetes.io/namespace`]: 'shop' })],
  ],
  ['key-is-no-claim', { key: HOST }, [under('StringEquals', { [HOST]: SUBJECT })], blind],
  [
    'key-never-present',
    { key: 'sts:ExternalId', operator: 'StringEquals' },
    [under('StringEquals', { 'sts:ExternalId': 'x' })],
  ],
  [
    'key-never-present',
    { key: 'aws:PrincipalTag/team', operator: 'StringLike' },
    [under('StringLike', { 'aws:PrincipalTag/team': 'x' })],
    blind,
  ],
  ['claims-exchanged', { key: AUD, value: SUBJECT, expected: SUB }, [under('StringEquals', { [AUD]: SUBJECT })]],
  ['claims-exchanged', { key: SUB, value: 'sts.amazonaws.com', expected: AUD }, [subEquals('sts.amazonaws.com')]],
  [
    'audience-differs',
    { wanted: 'sts.amazon.com, x', actual: 'sts.amazonaws.com' },
    [under('StringEquals', { [AUD]: ['sts.amazon.com', 'x'] })],
  ],
  [
    'wildcard-under-string-equals',
    { value: 'system:serviceaccount:shop:c*' },
    [under('StringEquals', { [SUB]: ['system:serviceaccount:store:cart', 'system:serviceaccount:shop:c*'] })],
    blind,
  ],
  ['white-space', { value: `${SUBJECT} ` }, [subEquals(`${SUBJECT} `)]],
  [
    'case-differs',
    { trusted: 'system:serviceaccount:Shop:cart', actual: SUBJECT },
    [subEquals('system:serviceaccount:Shop:cart')],
  ],
  [
    'case-differs',
    { trusted: 'system:serviceaccount:Shop:*', actual: SUBJECT },
    [under('StringLike', { [SUB]: 'system:serviceaccount:Shop:*' })],
  ],
  [
    'subject-prefix-doubled',
    { value: `system:serviceaccount:${SUBJECT}` },
    [subEquals(`system:serviceaccount:${SUBJECT}`)],
    blind,
  ],
  ['subject-prefix-missing', { value: 'shop:cart' }, [subEquals('shop:cart')]],
  ['subject-prefix-missing', { value: 'shop/cart' }, [subEquals(['basket', 'shop/cart'])]],
  [
    'subject-cut-short',
    { value: 'system:serviceaccount:shop', actual: SUBJECT },
    [subEquals('system:serviceaccount:shop')],
  ],
  ['namespace-differs', { trusted: 'store', actual: 'shop' }, [subEquals('system:serviceaccount:store:cart')], blind],
  [
    'namespace-differs',
    { trusted: 'crossplane-system', actual: 'kube-system' },
    [under('StringLike', { [SUB]: 'system:serviceaccount:crossplane-system:provider-aws-*' })],
    { ...blind, sub: 'system:serviceaccount:kube-system:provider-aws-1a2b' },
  ],
  [
    'service-account-differs',
    { trusted: 'card', actual: 'cart' },
    [subEquals(['system:serviceaccount:shop:basket', 'system:serviceaccount:shop:card'])],
  ],
  ['subject-differs', { trusted: 'system:node:x', actual: SUBJECT }, [subEquals('system:node:x')]],
  [
    'negation-excludes',
    { operator: 'StringNotLike', key: SUB, value: 'system:serviceaccount:shop:*', actual: SUBJECT },
    [under('StringNotLike', { [SUB]: ['x', 'system:serviceaccount:shop:*'] })],
  ],
  [
    'list-without-set-operator',
    { key: `${HOST}:amr`, operator: 'StringEquals' },
    [under('StringEquals', { [`${HOST}:amr`]: 'pwd' })],
    { ...call, amr: ['pwd'] },
  ],
  [
    'condition-not-met',
    { operator: 'IpAddress', key: 'aws:SourceIp', wanted: '203.0.113.0/24', actual: '198.51.100.1' },
    [
      statement({
        Condition: { StringEquals: { [`${HOST}:amr`]: 'pwd' }, IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
      }),
    ],
    { ...call, amr: ['pwd'], sourceIp: '198.51.100.1' },
  ],
  [
    'variable-unresolved',
    { variable: `\${aws:PrincipalTag/team}`, value: `system:serviceaccount:\${aws:PrincipalTag/team}:*` },
    [under('StringLike', { [SUB]: `system:serviceaccount:\${aws:PrincipalTag/team}:*` })],
  ],
  ['tag-session-missing', {}, [statement()], { ...call, keys: { 'aws:RequestTag/team': 'shop' } }],
  [
    'condition-not-met',
    { operator: 'StringEquals', key: 'aws:SourceVpce', wanted: 'vpce-1', actual: 'no such key' },
    [under('StringEquals', { 'aws:SourceVpce': 'vpce-1' })],
  ],
]

describe('the nearest miss', () => {
  const rows = ROWS.map(([kind, data, statements, context = call]) => ({ kind, data, statements, context }))
  test.each(rows)('$kind $data', ({ kind, data, statements, context }) => {
    const { decision, cause } = evaluateTrustPolicy(policy(...statements), context)
    expect(decision).toBe(kind === 'explicit-deny' ? 'deny' : 'implicit-deny')
    expect({ kind: cause?.kind, data: cause?.data }).toEqual({ kind, data })
  })

  test('every kind has a row', () => {
    const kinds = new Set<string>([...ROWS.map(([kind]) => kind), 'variable-taken-literally'])
    expect(kinds.size).toBe(28)
  })

  test('variable-taken-literally', () => {
    const value = `system:serviceaccount:shop:ip-\${aws:SourceIp}`
    const old = { Version: '2008-10-17', Statement: [subEquals(value)] }
    const context = { ...call, sub: 'system:serviceaccount:shop:ip-203.0.113.77', sourceIp: '203.0.113.77' }
    expect(evaluateTrustPolicy(old, context).cause).toMatchObject({
      kind: 'variable-taken-literally',
      data: { value, version: '2008-10-17' },
      edit: { path: 'Version', from: '2008-10-17', to: '2012-10-17' },
    })
  })

  test('says where it is and where the texts part', () => {
    expect(
      evaluateTrustPolicy(
        policy(statement({ Effect: 'Deny', Principal: { AWS: '1' } }), subEquals('system:serviceaccount:shoq:cart')),
        call,
      ).cause,
    ).toMatchObject({
      statement: 1,
      element: 'condition',
      path: `Statement[1].Condition.StringEquals[${JSON.stringify(SUB)}]`,
      key: SUB,
      operator: 'StringEquals',
      wanted: 'system:serviceaccount:shoq:cart',
      presented: SUBJECT,
      firstDifference: 25,
    })
  })

  test('the statement for the presented provider is explained, not one that matches more elsewhere', () => {
    const foreign = statement({
      Principal: { Federated: arn(OTHER) },
      Condition: {
        StringLike: { 'aws:RequestedRegion': '*' },
        StringEquals: { [SUB]: SUBJECT, [AUD]: 'sts.amazonaws.com' },
      },
    })
    const { cause } = evaluateTrustPolicy(policy(foreign, subEquals('system:serviceaccount:store:cart')), {
      ...call,
      region: 'us-east-1',
    })
    expect(cause).toMatchObject({ kind: 'namespace-differs', statement: 1 })
  })

  test('only :sub moves to StringLike, beside what stands there', () => {
    const wildcard = 'system:serviceaccount:shop:*'
    const one = statement({
      Condition: {
        StringEquals: { [AUD]: 'sts.amazonaws.com', [SUB]: wildcard },
        StringLike: { 'aws:UserAgent': '*' },
      },
    })
    expect(evaluateTrustPolicy(policy(one), { ...blind, unknown: ['issuer', '*'] }).cause?.edit).toEqual({
      statement: 0,
      path: 'Statement[0].Condition',
      from: { StringEquals: { [AUD]: 'sts.amazonaws.com', [SUB]: wildcard }, StringLike: { 'aws:UserAgent': '*' } },
      to: { StringEquals: { [AUD]: 'sts.amazonaws.com' }, StringLike: { 'aws:UserAgent': '*', [SUB]: wildcard } },
    })
  })

  test('values that stand under StringLike already stay there', () => {
    const [wildcard, other] = ['system:serviceaccount:shop:*', 'system:serviceaccount:store:*']
    const one = statement({
      Condition: { StringEquals: { [SUB]: wildcard }, StringLike: { [SUB.toLowerCase()]: other } },
    })
    expect(evaluateTrustPolicy(policy(one), call).cause?.edit?.to).toEqual({
      StringLike: { [SUB.toLowerCase()]: [other, wildcard] },
    })
  })

  test('one edit changes a foreign provider and its keys', () => {
    const one = statement({
      Principal: { Federated: arn(OTHER) },
      Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT, 'aws:RequestedRegion': 'x' } },
    })
    expect(evaluateTrustPolicy(policy(one), call).cause?.edit).toMatchObject({
      path: 'Statement[0]',
      to: {
        Principal: { Federated: arn(HOST) },
        Condition: { StringEquals: { [SUB]: SUBJECT, 'aws:RequestedRegion': 'x' } },
      },
    })
  })
})

describe('what was not seen', () => {
  const good = statement({ Condition: { StringEquals: { [AUD]: 'sts.amazonaws.com', [SUB]: SUBJECT } } })

  test('a good policy without the issuer hangs on the issuer alone', () => {
    expect(evaluateTrustPolicy(policy(good), blind)).toMatchObject({ decision: 'depends', dependsOn: ['issuer'] })
  })
  test('a good policy without the audience hangs on the audience alone', () => {
    expect(evaluateTrustPolicy(policy(good), { ...call, unknown: ['aud'] })).toMatchObject({
      decision: 'depends',
      dependsOn: ['aud'],
    })
  })
  test('a Deny for one address leaves the call open', () => {
    const deny = statement({ Effect: 'Deny', Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } })
    expect(evaluateTrustPolicy(policy(good, deny), { ...call, unknown: ['*'] })).toMatchObject({
      decision: 'depends',
      dependsOn: ['aws:SourceIp'],
    })
    expect(evaluateTrustPolicy(policy(good, deny), call).decision).toBe('allow')
  })
  test('with two providers a key of one leaves the call open, a value that fits neither refuses it', () => {
    const both = { Principal: { Federated: [arn(HOST), arn(OTHER)] } }
    const right = statement({ ...both, Condition: { StringEquals: { [SUB]: SUBJECT } } })
    const wrong = statement({ ...both, Condition: { StringEquals: { [SUB]: 'system:serviceaccount:store:cart' } } })
    expect(evaluateTrustPolicy(policy(right), blind)).toMatchObject({ decision: 'depends', dependsOn: ['issuer'] })
    const { statements } = evaluateTrustPolicy(policy(right), blind)
    expect(statements[0]?.conditions[0]).toMatchObject({ matched: 'depends', presented: { state: 'unknown' } })
    expect(evaluateTrustPolicy(policy(wrong), blind).cause?.kind).toBe('namespace-differs')
  })
  test('a provider that cannot be presented is no hypothesis', () => {
    const Principal = { Federated: [arn(HOST), arn(OTHER, '444455556666')] }
    const one = statement({ Principal, Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT } } })
    expect(evaluateTrustPolicy(policy(one), blind).cause?.kind).toBe('key-of-other-issuer')
  })
  test('the partition is told from the issuer or the region, and is open without them', () => {
    const china = 'oidc.eks.cn-north-1.amazonaws.com.cn/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'
    const trusted = (hostPath: string): object =>
      policy(statement({ Principal: { Federated: `arn:aws-cn:iam::${ACCOUNT}:oidc-provider/${hostPath}` } }))
    const decided = (hostPath: string, more: TrustContext): string =>
      evaluateTrustPolicy(trusted(hostPath), { ...call, issuer: `https://${hostPath}`, ...more }).decision
    expect(decided(china, {})).toBe('allow')
    expect(decided('oidc.example.com', {})).toBe('implicit-deny')
    expect(decided('oidc.example.com', { region: 'cn-north-1' })).toBe('allow')
    expect(decided('oidc.example.com', { partition: 'aws-cn' })).toBe('allow')
    expect(decided('oidc.example.com', { unknown: ['region'] })).toBe('depends')
  })
  test('a variable that was not seen leaves open only what it could fill', () => {
    const judged = (operator: string, wanted: string): unknown => {
      const { statements } = evaluateTrustPolicy(policy(under(operator, { [SUB]: wanted })), {
        ...call,
        unknown: ['*'],
      })
      return statements[0]?.conditions[0]?.matched
    }
    expect(judged('StringLike', `system:serviceaccount:shop:\${aws:UserAgent}`)).toBe('depends')
    expect(judged('StringLike', `system:serviceaccount:store:\${aws:UserAgent}`)).toBe(false)
    expect(judged('StringNotLike', `system:serviceaccount:store:\${aws:UserAgent}`)).toBe('depends')
  })
  test('a statement that does not say whether it allows may deny', () => {
    const unsaid = statement({ Effect: 'Maybe' })
    expect(evaluateTrustPolicy(policy(good, unsaid), call)).toMatchObject({
      decision: 'depends',
      dependsOn: ['Statement[1].Effect'],
    })
    expect(
      evaluateTrustPolicy(policy(good, statement({ Effect: 'Maybe', Action: 'sts:AssumeRole' })), call).decision,
    ).toBe('allow')
  })
  test('an impossible provider is refused without knowing the issuer', () => {
    for (const Federated of [
      HOST,
      arn(`https://${HOST}`),
      arn(SWAPPED),
      arn('*'),
      'arn:aws:eks:us-east-1:111122223333:cluster/shop',
    ]) {
      expect(evaluateTrustPolicy(policy(statement({ Principal: { Federated } })), blind).decision, Federated).toBe(
        'implicit-deny',
      )
    }
  })
  test.each<readonly [string, unknown]>([
    ['an empty list of values', subEquals([])],
    ['an empty list of actions', statement({ Action: [] })],
    ['Principal "*" in an Allow', statement({ Principal: '*' })],
    ['every AWS principal', statement({ Principal: { AWS: '*' } })],
    [
      'NotPrincipal in an Allow',
      {
        Effect: 'Allow',
        NotPrincipal: { AWS: 'arn:aws:iam::111122223333:user/former' },
        Action: 'sts:AssumeRoleWithWebIdentity',
      },
    ],
    ['an effect in small letters', statement({ Effect: 'allow' })],
    ['a variable without value under negation', under('StringNotEquals', { [SUB]: `\${aws:PrincipalTag/x}` })],
    ['a value that is an object', subEquals({})],
    ['a statement that is a number', 5],
  ])('%s is left open', (_name, one) => {
    const { decision, dependsOn } = evaluateTrustPolicy({ Version: '2012-10-17', Statement: [one] }, call)
    expect(decision).toBe('depends')
    expect(dependsOn.join()).toContain('Statement[0]')
  })
  test.each<readonly [unknown]>([[null], ['text'], [[]], [{}], [{ Statement: 5 }]])(
    '%j is no policy, and is said to be none',
    (none) => {
      const { decision, malformed } = evaluateTrustPolicy(none, call)
      expect({ decision, told: malformed.length }).toEqual({ decision: 'depends', told: 1 })
    },
  )
  test('names of prototypes mean nothing', () => {
    const odd: unknown = JSON.parse(
      `{"Statement":[{"__proto__":{"Effect":"Allow"},"Effect":"Allow","Principal":{"__proto__":"x","constructor":"y"},"Action":"*","Condition":{"__proto__":{"__proto__":"x"},"toString":{"constructor":"1"}}}]}`,
    )
    expect(evaluateTrustPolicy(odd, call).decision).toBe('implicit-deny')
  })
})

describe('operators', () => {
  const given = (value: string): TrustContext => ({ ...call, keys: { 'example:key': value } })
  test.each<readonly [string, string, string, boolean]>([
    ['NumericEquals', '1.0', '1', true],
    ['NumericEquals', '-0', '0.00', true],
    ['NumericEquals', '9007199254740993', '9007199254740992', false],
    ['NumericLessThan', '-10', '-9.5', false],
    ['NumericGreaterThan', '-10', '-9.5', true],
    ['NumericEquals', '1e3', '1000', true],
    ['NumericEquals', 'one', '1', false],
    ['DateEquals', '2026-07-01', '2026-07-01T00:00Z', true],
    ['DateEquals', '1782864000', '2026-07-01T00:00:00.000Z', true],
    ['DateGreaterThan', '2026-07-01T00:00:00Z', '2026-07-01T00:00:00.5Z', true],
    ['DateEquals', '2026-02-30', '2026-02-30', false],
    ['DateLessThan', '1970-01-01', '0031-01-01', true],
    ['IpAddress', '::ffff:0:0/96', '::ffff:203.0.113.7', true],
    ['IpAddress', '203.0.113.7', '203.0.113.7', true],
    ['IpAddress', '203.0.113.7/33', '203.0.113.7', false],
    ['IpAddress', '0.0.0.0/0', '::1', false],
    ['IpAddress', '203.0.112.0/23', '203.0.113.255', true],
    ['IpAddress', '203.0.112.0/23', '203.0.114.0', false],
    ['BinaryEquals', 'QQ', 'QQ==', true],
    ['BinaryEquals', 'QQ==', 'Qg==', false],
    ['StringLike', 'a?c', 'a😀c', true],
    ['StringLike', '*a*b*', 'xxaxxbxx', true],
    ['StringLike', `\${*}`, '*', true],
    ['StringLike', `\${*}`, 'x', false],
    ['StringEquals', `\${example:key}`, 'x', true],
    ['StringEquals', `\${aws:PrincipalTag/none, 'x'}`, 'x', true],
    ['StringEquals', `\${open`, `\${open`, true],
    ['NumericEquals', `\${example:key}`, '1', false],
    ['ArnLike', 'arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/a:b/c', true],
    ['ArnLike', '*', 'arn:aws:s3:::bucket', false],
    ['ArnLike', '*:*:*:*:*:*', 'not:an:arn:at:all:x', false],
  ])('%s %s against %s is %s', (operator, wanted, presented, matched) => {
    const { statements } = evaluateTrustPolicy(policy(under(operator, { 'example:key': wanted })), given(presented))
    expect(statements[0]?.conditions[0]?.matched).toBe(matched)
  })

  test('several values under a negated set operator are left open only where readings differ', () => {
    const decide = (amr: readonly string[]): string =>
      evaluateTrustPolicy(policy(under('ForAllValues:StringNotEquals', { [`${HOST}:amr`]: ['pwd', 'otp'] })), {
        ...call,
        amr,
      }).decision
    expect([decide(['hwk']), decide(['pwd'])]).toEqual(['allow', 'depends'])
  })

  test('patterns made to be slow are not', () => {
    const long = 'a'.repeat(20_000)
    const started = performance.now()
    const wanted = [
      `${'*a'.repeat(10_000)}b`,
      `*${'a'.repeat(5_000)}b`,
      `${'?*'.repeat(9_000)}b`,
      `\${${'{'.repeat(9_000)}`,
      '0'.repeat(50_000),
    ]
    for (const operator of [
      'StringLike',
      'StringEquals',
      'ArnLike',
      'NumericEquals',
      'DateEquals',
      'IpAddress',
      'BinaryEquals',
    ]) {
      evaluateTrustPolicy(policy(under(operator, { 'example:key': wanted, [SUB]: wanted })), {
        ...given(long),
        sub: long,
      })
    }
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test('a very deep and a very wide policy are judged', () => {
    let deep: unknown = 'x'
    for (let depth = 0; depth < 50_000; depth++) deep = { Condition: [deep] }
    expect(evaluateTrustPolicy(policy(subEquals(deep), statement({ Condition: deep })), call).decision).toBe('depends')
    const wide = Array.from({ length: 150_000 }, () => null)
    expect(
      evaluateTrustPolicy(policy(subEquals(wide), statement({ Action: wide, Principal: { Federated: wide } })), call)
        .decision,
    ).toBe('depends')
    expect(evaluateTrustPolicy({ Statement: wide }, call).decision).toBe('depends')
    expect(malformations({ Statement: wide })).toEqual([])
  })
})

describe('form', () => {
  const faulty = policy(
    statement({
      Resource: '*',
      Action: ['sts:AssumeRoleWithWebIdentity', 's3:GetObject', '*'],
      Principal: {
        Federated: [
          arn(`https://${HOST}`),
          'arn:aws:eks:us-east-1:111122223333:cluster/shop',
          HOST,
          'arn:aws:iam::111122223333:saml-provider/x',
        ],
      },
      Condition: {
        StringMatches: { [`https://${HOST}:sub`]: 'x' },
        StringEquals: { [`${HOST}:sub `]: 'x' },
        NullIfExists: {},
      },
    }),
  )
  test('each fault once, the gravest kind first', () => {
    expect(malformations(faulty)).toEqual([
      {
        message: 'scheme-in-key',
        path: `Statement[0].Condition.StringMatches["https://${HOST}:sub"]`,
        data: { key: `https://${HOST}:sub`, expected: SUB },
      },
      {
        message: 'scheme-in-provider',
        path: 'Statement[0].Principal.Federated[0]',
        data: { value: arn(`https://${HOST}`), expected: arn(HOST) },
      },
      {
        message: 'federated-malformed',
        path: 'Statement[0].Principal.Federated[1]',
        data: { value: 'arn:aws:eks:us-east-1:111122223333:cluster/shop' },
      },
      { message: 'permissions-in-trust-policy', path: 'Statement[0].Resource', data: { element: 'Resource' } },
      {
        message: 'permissions-in-trust-policy',
        path: 'Statement[0].Action[1]',
        data: { element: 'Action s3:GetObject' },
      },
      {
        message: 'key-with-white-space',
        path: `Statement[0].Condition.StringEquals["${HOST}:sub "]`,
        data: { key: `${HOST}:sub ` },
      },
      {
        message: 'operator-unknown',
        path: 'Statement[0].Condition.StringMatches',
        data: { operator: 'StringMatches' },
      },
      { message: 'operator-unknown', path: 'Statement[0].Condition.NullIfExists', data: { operator: 'NullIfExists' } },
    ])
  })
  test('a policy that admits has none', () => {
    const admitting = vectors.filter(({ expected }) => expected === 'allow')
    expect(admitting.flatMap(({ policy }) => malformations(policy))).toEqual([])
  })
})
