/** Whether STS gives credentials of the role for a token of the ServiceAccount: the proof of the whole path. */
import { defineCheck } from '../../core/check.ts'
import { denyingPolicy, openTrust } from '../../probes/aws/denial.ts'
import { ofAnswer, wordsOf } from '../../probes/aws/evidence.ts'
import { exchange, isDenied, stsAnswers } from '../../probes/aws/exchange.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

const rejectsClaim = (text: string): boolean => text.includes('IDPRejectedClaim')

export const check = defineCheck({
  meta: {
    id: 'aws/sts-exchanges-token',
    title: 'STS exchanges the token for credentials of the role',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'Everything before it can look right and still be overruled; only the exchange itself proves the path.',
    fix: { safety: 'manual', does: 'names the statement and who can change it' },
    links: [
      'https://github.com/aws-samples/resource-control-policy-examples/issues/5',
      'https://github.com/uswitch/kiam/issues/33',
      'https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html',
    ],
  },
  needs: {},
  wants: { roleReference, exchange, stsAnswers, openTrust, denyingPolicy },
  after: [
    'aws/role-exists',
    'aws/oidc-provider-registered',
    'aws/oidc-provider-accepts-audience',
    'aws/trust-policy-admits-service-account',
    'cluster/published-keys-verify-tokens',
    'workload/token-is-for-this-workload',
  ],
  messages: {
    'organization-denies': ({ policy, issuer }: { policy: string; issuer: string }) =>
      `resource control policy ${policy} denies web identity from ${issuer}`,
    'denied-although-trusted': ({ role }: { role: string }) =>
      `STS denied, although the trust policy admits this token: a resource control policy, a change not yet replicated, or another role than ${role}`,
    denied: ({ error, policy }: { error: string; policy: string }) =>
      `STS denied ("${error}"); ${policy}, and STS says the same for a wrong policy and for no such role`,
    'claim-rejected': (_: object) => 'the identity provider rejected the token (IDPRejectedClaim)',
  },
  judge: ({ want: { roleReference, exchange, stsAnswers, openTrust, denyingPolicy } }) => {
    if (roleReference.state === 'absent' || (roleReference.state === 'known' && !isWebIdentity(roleReference.value)))
      return { status: 'not-applicable', reason: 'no role is bound by web identity' }
    if (exchange.state === 'known' && exchange.value.outcome === 'exchanged')
      return {
        status: 'pass',
        evidence: [{ question: exchange.from, path: 'assumedRole', observed: exchange.value.assumedRole }],
      }
    const answers = stsAnswers.state === 'known' ? stsAnswers.value.answers : []
    const denial = answers.find(({ text }) => isDenied(text))
    const rejection = answers.find(({ text }) => rejectsClaim(text))
    if (denial !== undefined) {
      const evidence = [ofAnswer(denial)]
      const trust = openTrust.state === 'known' ? openTrust.value : undefined
      if (trust?.verdict === 'allow') {
        if (denyingPolicy.state === 'known')
          return {
            status: 'fail',
            message: 'organization-denies',
            data: { policy: denyingPolicy.value, issuer: trust.issuer },
            evidence: [...evidence, { question: denyingPolicy.from, path: 'Policies', observed: denyingPolicy.value }],
          }
        return { status: 'fail', message: 'denied-although-trusted', data: { role: trust.role }, evidence }
      }
      if (trust?.verdict === 'deny')
        return { status: 'undecided', lacks: 'the trust policy does not admit the token', evidence }
      const policy =
        trust === undefined
          ? 'the trust policy of the role was not seen'
          : 'whether the trust policy of the role admits the token could not be told'
      const error = /not authorized to perform:?\s+sts:AssumeRoleWithWebIdentity/i.exec(denial.text)?.[0] ?? denial.text
      return { status: 'fail', message: 'denied', data: { error: wordsOf(error), policy }, evidence }
    }
    if (rejection !== undefined)
      return { status: 'fail', message: 'claim-rejected', data: {}, evidence: [ofAnswer(rejection)] }
    if (exchange.state === 'known' && exchange.value.outcome === 'refused')
      return {
        status: 'undecided',
        lacks: `STS refused the token (${exchange.value.code}: ${exchange.value.message}), which is not a matter of the role`,
      }
    return { status: 'undecided', lacks: 'no exchange was tried, and none was observed' }
  },
})
