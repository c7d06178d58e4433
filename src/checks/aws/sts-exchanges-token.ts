/** Whether STS gives credentials of the role for a token of the ServiceAccount: the proof of the whole path. */
import { defineCheck } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf, unnamed } from '../../domain/advice.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { sh } from '../../domain/shell-words.ts'
import { denyingPolicy, openTrust } from '../../probes/aws/denial.ts'
import { ofAnswer, wordsOf } from '../../probes/aws/evidence.ts'
import { exchange, isDenied, stsAnswers } from '../../probes/aws/exchange.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

const notCollected = 'not collected'
const listPolicies = 'aws organizations list-policies --filter RESOURCE_CONTROL_POLICY'

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
    fix: {
      safety: 'manual',
      does: 'Take the named statement to whoever can change it: the trust policy to the owner of the role, a resource control policy to the administrators of the organization.',
    },
    links: [
      'https://github.com/aws-samples/resource-control-policy-examples/issues/5',
      'https://github.com/uswitch/kiam/issues/33',
      'https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html',
    ],
  },
  only: { probe: roleReference, otherwise: 'the ServiceAccount names no role' },
  needs: {},
  wants: { roleReference, exchange, stsAnswers, openTrust, denyingPolicy },
  after: [
    'aws/role-exists',
    'aws/oidc-provider-registered',
    'aws/oidc-provider-accepts-audience',
    'aws/oidc-provider-thumbprint-matches',
    'aws/trust-policy-admits-service-account',
    'aws/sts-endpoint-reachable',
    'aws/sts-region-active',
    'cluster/published-keys-verify-tokens',
    'workload/token-is-for-this-workload',
  ],
  messages: {
    'organization-denies': ({ policy, issuer }: { policy: string; issuer: string }) =>
      `resource control policy ${policy} denies web identity from ${issuer}`,
    'denied-although-trusted': ({ role }: Account & { role: string }) =>
      `STS denied, although the trust policy admits this token: a resource control policy, a change not yet replicated, or another role than ${role}`,
    denied: ({ error, policy }: { error: string; policy: string; role: string }) =>
      `STS denied ("${error}"); ${policy}, and STS says the same for a wrong policy and for no such role`,
    'claim-rejected': (_: Account) => 'the identity provider rejected the token (IDPRejectedClaim)',
  },
  remedies: {
    'organization-denies': ({ policy, issuer }) =>
      advice(
        `Ask the administrators of the AWS organization (its management account) to have ${policy} let ${issuer === notCollected ? "the cluster's issuer" : issuer} through: it has to list every issuer, since condition keys take no wildcard. Nothing in this account can overrule it.`,
        listPolicies,
      ),
    'denied-although-trusted': (data) =>
      advice(
        `Try again after a minute, since IAM takes a while to spread a change; see that the pods carry AWS_ROLE_ARN of role ${data.role}. If both are so, ask the administrators of the AWS organization (its management account) which resource control policy denies it.`,
        sh`kubectl wi doctor ${`sa/${data.serviceAccount}`} -n ${data.namespace}`,
        `${podsOf(data)} -o yaml | grep -A1 AWS_ROLE_ARN`,
        listPolicies,
      ),
    denied: ({ role }) =>
      advice(
        `Have whoever may read role ${role} save it, and look again with -f role.json among the documents${role === unnamed.role ? ' (ROLE: the name at the end of AWS_ROLE_ARN in the pod)' : ''}.`,
        sh`aws iam get-role --role-name ${role} > role.json`,
      ),
    'claim-rejected': (data) =>
      advice(
        'See whether a fresh token holds what is expected and has not ended; then restart the workloads of its pods, so that they hold a fresh one too.',
        sh`kubectl wi token ${`sa/${data.serviceAccount}`} -n ${data.namespace} --audience ${awsAudience}`,
        podsOf(data),
      ),
  },
  judge: ({ want: { roleReference, exchange, stsAnswers, openTrust, denyingPolicy }, subject }) => {
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
        return {
          status: 'fail',
          message: 'denied-although-trusted',
          data: { ...accountOf(subject), role: trust.role },
          evidence,
        }
      }
      if (trust?.verdict === 'deny')
        return { status: 'undecided', lacks: 'the trust policy does not admit the token', evidence }
      const policy =
        trust === undefined
          ? 'the trust policy of the role was not seen'
          : 'whether the trust policy of the role admits the token could not be told'
      const role = (roleReference.state === 'known' ? roleReference.value.arn?.name : undefined) ?? unnamed.role
      const error = /not authorized to perform:?\s+sts:AssumeRoleWithWebIdentity/i.exec(denial.text)?.[0] ?? denial.text
      return { status: 'fail', message: 'denied', data: { error: wordsOf(error), policy, role }, evidence }
    }
    if (rejection !== undefined)
      return { status: 'fail', message: 'claim-rejected', data: accountOf(subject), evidence: [ofAnswer(rejection)] }
    if (exchange.state === 'known' && exchange.value.outcome === 'refused')
      return {
        status: 'undecided',
        lacks: `STS refused the token (${exchange.value.code}: ${exchange.value.message}), which is not a matter of the role`,
      }
    return { status: 'undecided', lacks: 'no exchange was tried, and none was observed' }
  },
})
