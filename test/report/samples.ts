/** Reports as the doctor makes them: one root cause, things not seen, four hundred pods, everything well, hostile texts. */
import type { CheckId, Evidence, Meta, Remedy, Severity } from '../../src/core/check.ts'
import type { Finding, Lack } from '../../src/core/finding.ts'
import { type Papers, type Report, reportOf } from '../../src/core/report.ts'
import type { Subject } from '../../src/core/subject.ts'
import { aws, kubernetes } from '../../src/domain/questions.ts'

const meta = (id: CheckId, title: string, section: string, severity: Severity = 'error', fix?: Meta['fix']): Meta => ({
  id,
  title,
  section,
  severity,
  scope: 'service-account',
  cloud: 'aws',
  why: 'STS compares the subject byte for byte; one wrong character is AccessDenied.',
  links: ['https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html', 'https://example.com/second'],
  ...(fix === undefined ? {} : { fix }),
})

const metas = [
  meta('cluster/issuer-is-public', 'The issuer answers anonymously and names itself', 'Issuer'),
  meta('cluster/published-keys-verify-tokens', "The token's key is published", 'Issuer'),
  meta('aws/role-exists', 'The role exists under exactly this ARN', 'Trust'),
  meta('aws/oidc-provider-registered', 'The IAM OIDC provider is registered', 'Trust'),
  meta(
    'aws/trust-policy-admits-service-account',
    "The role's trust policy admits this ServiceAccount's token",
    'Trust',
    'error',
    {
      safety: 'review',
      does: 'rewrite the one condition; never add a wildcard',
    },
  ),
  meta('aws/sts-exchanges-token', 'The token exchanges for the role', 'Trust'),
  meta('aws/workload-uses-own-role', 'The workload uses its own role', 'Workload'),
  meta('aws/pod-is-injected', 'The pod carries the variables and the token of its role', 'Workload'),
  meta('workload/pod-is-newer-than-its-binding', 'The pod is newer than its binding', 'Workload', 'warning', {
    safety: 'review',
    does: 'restart the workload after the fix',
  }),
] as const
const papers: Papers = new Map(metas.map((one) => [one.id, one]))
const titleOf = (id: CheckId): Meta => {
  const found = papers.get(id)
  if (found === undefined) throw new Error(`no papers for ${id}`)
  return found
}

const cluster: Subject = { kind: 'Cluster', name: 'cluster' }
const account = (name: string, namespace = 'shop'): Subject => ({ kind: 'ServiceAccount', namespace, name })
const pod = (name: string, of: string): Subject => ({
  kind: 'Pod',
  namespace: 'shop',
  name,
  of: [`ServiceAccount shop/${of}`],
})

const base = (check: CheckId, subject: Subject) => ({ check, subject, severity: titleOf(check).severity })
const pass = (check: CheckId, subject: Subject, ...evidence: readonly Evidence[]): Finding => ({
  ...base(check, subject),
  status: 'pass',
  message: titleOf(check).title,
  evidence,
})
const fail = (
  check: CheckId,
  subject: Subject,
  messageId: string,
  message: string,
  ...evidence: readonly Evidence[]
): Finding => ({
  ...base(check, subject),
  status: 'fail',
  message,
  messageId,
  data: { trusted: 'shop-prod', actual: 'shop' },
  evidence,
})
const blocked = (check: CheckId, subject: Subject, ...blockedBy: readonly CheckId[]): Finding => ({
  ...base(check, subject),
  status: 'blocked',
  message: `waits for ${blockedBy.join(', ')}`,
  blockedBy,
  evidence: [],
})
const unseen = (check: CheckId, subject: Subject, ...lacks: readonly Lack[]): Finding => ({
  ...base(check, subject),
  status: 'unknown',
  message: `not seen: ${lacks[0]?.detail ?? ''}`,
  lacks,
  evidence: [],
})
const idle = (check: CheckId, subject: Subject, reason: string): Finding => ({
  ...base(check, subject),
  status: 'not-applicable',
  message: reason,
  evidence: [],
})

const cart = account('cart')
const subjectEvidence: Evidence = {
  question: aws.role('111122223333', 'cart'),
  path: 'Statement[0].Condition.StringEquals["oidc.eks.us-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE:sub"]',
  observed: 'system:serviceaccount:shop-prod:cart',
  expected: 'system:serviceaccount:shop:cart',
  words: { observed: 'wants', expected: 'presents' },
}
const issuerEvidence: Evidence = {
  question: kubernetes.nonResource('/.well-known/openid-configuration'),
  path: 'issuer',
  observed: 'https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
}
const keyEvidence: Evidence = {
  question: kubernetes.nonResource('/openid/v1/jwks'),
  path: 'keys[0].kid',
  observed: 'kid 5f3c RS256',
}

const withRemedy = (finding: Finding, remedy: Remedy): Finding => ({ ...finding, remedy })
const trustRemedy: Remedy = {
  words: [
    'Add the exact subject to the trusted values in the trust policy of role cart; those that are there stay.',
    'aws iam get-role --role-name cart --query Role.AssumeRolePolicyDocument --output json > trust.json',
    'aws iam update-assume-role-policy --role-name cart --policy-document file://trust.json',
  ].join('\n'),
  path: subjectEvidence.path,
  from: 'system:serviceaccount:shop-prod:cart',
  to: '["system:serviceaccount:shop-prod:cart","system:serviceaccount:shop:cart"]',
}
const restartOf = (owner: string): Remedy => ({
  words: `Restart deployment/${owner}: the webhook acts only when a pod is created.\nkubectl rollout restart deployment/${owner} -n shop`,
})

const reportWith = (
  findings: readonly Finding[],
  more: Partial<Pick<Report, 'identities' | 'notRecognised' | 'notes' | 'source'>> = {},
): Report =>
  reportOf({
    version: '0.1.0',
    source: 'documents in test/fixtures/shop',
    identities: [{ subject: cart, identity: 'arn:aws:iam::111122223333:role/cart', place: 'eks us-west-2' }],
    papers,
    notRecognised: [],
    notes: [],
    ...more,
    findings,
  })

/** One wrong namespace in a trust policy, and what waits for it. */
export const oneCause = (): Report =>
  reportWith([
    pass('cluster/issuer-is-public', cluster, issuerEvidence),
    pass('cluster/published-keys-verify-tokens', cluster, keyEvidence),
    pass('aws/role-exists', cart),
    pass('aws/oidc-provider-registered', cart),
    withRemedy(
      fail(
        'aws/trust-policy-admits-service-account',
        cart,
        'namespace-differs',
        'the policy trusts namespace shop-prod, the ServiceAccount lives in shop',
        subjectEvidence,
      ),
      trustRemedy,
    ),
    blocked('aws/sts-exchanges-token', cart, 'aws/trust-policy-admits-service-account'),
    // Blocked by what is blocked itself: it still belongs to the root.
    blocked('aws/workload-uses-own-role', pod('cart-7d9f', 'cart'), 'aws/sts-exchanges-token'),
    pass('aws/pod-is-injected', pod('cart-7d9f', 'cart')),
    fail(
      'workload/pod-is-newer-than-its-binding',
      pod('cart-7d9f', 'cart'),
      'older',
      'pod cart-7d9f was created 2026-01-01T10:00:00Z, the annotation was written 2026-01-02T09:00:00Z',
    ),
  ])

/** Nothing of the cloud could be seen. */
export const notSeen = (): Report => {
  const role: Lack = {
    what: "the role's trust policy",
    why: 'not-collected',
    detail: 'role cart of account 111122223333 is not among the documents',
    lift: 'aws iam get-role --role-name cart > cart.json',
  }
  const providers: Lack = {
    what: "the account's OIDC providers",
    why: 'forbidden',
    detail: 'AccessDenied: user/dev is not authorized to perform iam:ListOpenIDConnectProviders',
    lift: 'permission iam:ListOpenIDConnectProviders',
  }
  return reportWith(
    [
      pass('cluster/issuer-is-public', cluster, issuerEvidence),
      unseen('aws/role-exists', cart, role),
      unseen('aws/trust-policy-admits-service-account', cart, role),
      unseen('aws/oidc-provider-registered', cart, providers),
      idle('aws/pod-is-injected', cart, 'no pod uses this ServiceAccount'),
    ],
    {
      notRecognised: ['shop/values.yaml', 'shop/notes.bin'],
      notes: ['shop/broken.yaml:3:7: a flow sequence is not closed; the rest of the file was not read'],
    },
  )
}

/** Four hundred pods hit by one cause, some told apart by their dates, and ServiceAccounts of which most are well. */
export const manyPods = (): Report => {
  const accounts = Array.from({ length: 40 }, (_, index) => account(`worker-${String(index).padStart(2, '0')}`))
  const pods = Array.from({ length: 400 }, (_, index) => {
    const owner = accounts[index % accounts.length]?.name ?? ''
    return pod(`${owner}-${String(index).padStart(3, '0')}`, owner)
  })
  return reportWith(
    [
      pass('cluster/issuer-is-public', cluster, issuerEvidence),
      ...accounts.map((one, index) =>
        index === 7
          ? fail(
              'aws/trust-policy-admits-service-account',
              one,
              'namespace-differs',
              'the policy trusts namespace shop-prod, the ServiceAccount lives in shop',
              subjectEvidence,
            )
          : pass('aws/trust-policy-admits-service-account', one),
      ),
      ...pods.map((one, index) =>
        withRemedy(
          index % 2 === 0
            ? fail(
                'aws/pod-is-injected',
                one,
                'not-injected',
                'the container app has neither the web identity nor the Pod Identity variables',
              )
            : fail(
                'aws/pod-is-injected',
                one,
                'created-before-annotation',
                `pod ${one.name} was created before the annotation was written`,
              ),
          restartOf(accounts[index % accounts.length]?.name ?? ''),
        ),
      ),
      ...pods.map((one) => blocked('aws/workload-uses-own-role', one, 'aws/pod-is-injected')),
    ],
    {
      source: 'context prod-eks',
      identities: accounts.map((subject) => ({
        subject,
        identity: `arn:aws:iam::111122223333:role/${subject.name}`,
        place: 'eks us-west-2',
      })),
    },
  )
}

/** All is well. */
export const healthy = (): Report =>
  reportWith([
    pass('cluster/issuer-is-public', cluster, issuerEvidence),
    pass('cluster/published-keys-verify-tokens', cluster, keyEvidence),
    pass('aws/role-exists', cart),
    pass('aws/trust-policy-admits-service-account', cart, { ...subjectEvidence, expected: subjectEvidence.observed }),
  ])

/** Texts that would rewrite a terminal, and a check that threw. */
export const hostile = (): Report =>
  reportWith(
    [
      fail('aws/role-exists', cart, 'missing', 'role \u001b[2J\u001b[31mcart\u0007 is \u202egnissim', {
        question: aws.role(undefined, 'cart'),
        path: 'Role.Arn',
        observed: 'arn:aws:iam::111122223333:role/cart\n',
        expected: 'arn:aws:iam::111122223333:role/cart',
      }),
      {
        ...base('aws/sts-exchanges-token', cart),
        status: 'crashed',
        message: 'this is a bug in kubectl wi: x is undefined',
        evidence: [],
      },
    ],
    { notes: ['\u009b31mred'] },
  )
