/** Whether IAM has room for what comes next. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, unnamed } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { isProviderQuota, nearly, orphans, quotas, trustLengths, trustQuota } from '../../probes/aws/iam-use.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { awsProviders } from '../../probes/cluster/registrations.ts'

const listProviders = 'aws iam list-open-id-connect-providers'

const shorten = (role: string): string =>
  advice(
    `Shorten the trust policy of role ${role}: one StringLike with a fixed namespace for many ServiceAccounts of it, a role for each group of workloads, or EKS Pod Identity, whose trust policy stays the same for any number of ServiceAccounts.`,
    sh`aws iam get-role --role-name ${role} --query Role.AssumeRolePolicyDocument --output json`,
  )

export const check = defineCheck({
  meta: {
    id: 'aws/iam-quotas-left',
    title: 'IAM quotas leave room',
    severity: 'warning',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Set-up',
    why: 'The next cluster, or the next ServiceAccount of a role, cannot be set up once a quota is used up; everything before it goes on working.',
    fix: {
      safety: 'manual',
      does: 'Remove providers of clusters that are gone after a look at who trusts them, shorten the trust policy, or ask for a higher quota; no provider is deleted by itself.',
    },
    links: [
      'https://github.com/kubeflow/dashboard/issues/29',
      'https://github.com/kubernetes-sigs/secrets-store-csi-driver/issues/634',
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html',
    ],
  },
  needs: {},
  wants: { observedErrors, awsProviders, trustLengths, trustQuota, orphans },
  after: [],
  messages: {
    'providers-at-quota': ({ account, count, quota }: { account: string; count: number; quota: number }) =>
      `account ${account} has ${count} of ${quota} IAM OIDC providers`,
    'trust-policy-full': ({ role, length, quota }: { role: string; length: number; quota: number }) =>
      `the trust policy of ${role} has ${length} of ${quota} characters`,
    'provider-orphaned': ({ provider }: { provider: string }) =>
      `provider ${provider} belongs to no cluster of this account any more`,
    'reported-trust-policy-full': ({ quota }: { quota: number }) =>
      `IAM refused a trust policy of more than ${quota} characters`,
    'reported-providers-at-quota': ({ quota }: { quota: string }) =>
      `IAM refused another OIDC provider: the account has its ${quota}`,
  },
  remedies: {
    'providers-at-quota': () =>
      advice(
        'Look for providers whose cluster is gone and that no role trusts any more, or ask AWS for a higher quota, before the next cluster is made.',
        listProviders,
      ),
    'trust-policy-full': ({ role }) => shorten(role),
    'provider-orphaned': ({ provider }) =>
      advice(
        'Make sure that no cluster of another account has this issuer and that no role trusts the provider; then its owner may delete it.',
        sh`aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${provider}`,
      ),
    'reported-trust-policy-full': () => shorten(unnamed.role),
    'reported-providers-at-quota': () =>
      advice(
        'Look for providers whose cluster is gone and that no role trusts any more, or ask AWS for a higher quota.',
        listProviders,
      ),
  },
  judge: ({ want: { observedErrors, awsProviders, trustLengths, trustQuota, orphans } }) => {
    const providers = awsProviders.state === 'known' ? awsProviders.value.items : []
    const counts = new Map<string, number>()
    for (const { account } of providers) counts.set(account, (counts.get(account) ?? 0) + 1)
    const counted: readonly Evidence[] = [...counts].map(([account, count]) => ({
      question: awsProviders.from,
      path: `OpenIDConnectProviderList of ${account}`,
      observed: count,
      expected: `below ${quotas.providers}`,
    }))
    // An account with more than the usual quota has been given a higher one, which nothing here tells.
    const full = [...counts].find(([, count]) => count >= nearly * quotas.providers && count <= quotas.providers)
    if (full !== undefined)
      return {
        status: 'fail',
        message: 'providers-at-quota',
        data: { account: full[0], count: full[1], quota: quotas.providers },
        evidence: counted,
      }
    const lengths = trustLengths.state === 'known' ? trustLengths.value.items : []
    const measured: readonly Evidence[] = lengths.map(({ from, length }) => ({
      question: from,
      path: 'Role.AssumeRolePolicyDocument',
      observed: `${length} characters`,
    }))
    const quota = trustQuota.state === 'known' ? trustQuota.value : undefined
    const long = lengths.find(
      ({ length }) => length >= nearly * quotas.mostTrustPolicy || (quota !== undefined && length >= nearly * quota),
    )
    if (long !== undefined)
      return {
        status: 'fail',
        message: 'trust-policy-full',
        data: { role: long.role, length: long.length, quota: quota ?? quotas.mostTrustPolicy },
        evidence: measured,
      }
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const refused = errors.find(({ text }) => isProviderQuota(text))
    const [orphan] = orphans.state === 'known' ? orphans.value : []
    if (orphan !== undefined && refused !== undefined)
      return {
        status: 'fail',
        message: 'provider-orphaned',
        data: { provider: orphan.arn },
        evidence: [
          { question: orphans.from, path: 'OpenIDConnectProviderList', observed: orphan.arn },
          ofError(refused),
        ],
      }
    const tooLong = errors.find(({ text }) => text.includes('Cannot exceed quota for ACLSizePerRole'))
    if (tooLong !== undefined) {
      const said = Number(/ACLSizePerRole:\s*(\d{1,6})/.exec(tooLong.text)?.[1] ?? quotas.trustPolicy)
      return {
        status: 'fail',
        message: 'reported-trust-policy-full',
        data: { quota: said },
        evidence: [ofError(tooLong)],
      }
    }
    if (refused !== undefined) {
      const said = /OpenIdConnectProvidersPerAccount:\s*(\d{1,6})/.exec(refused.text)?.[1]
      return {
        status: 'fail',
        message: 'reported-providers-at-quota',
        data: { quota: said ?? 'quota of them' },
        evidence: [ofError(refused)],
      }
    }
    if (awsProviders.state === 'absent') return { status: 'not-applicable', reason: 'no role of AWS is in use' }
    if (trustLengths.state !== 'known' || !trustLengths.value.complete)
      return {
        status: 'undecided',
        lacks: 'not all trust policies of the roles that are named were seen',
        lift: 'aws iam get-role --role-name ROLE',
      }
    if (measured.length === 0)
      return { status: 'not-applicable', reason: 'no ServiceAccount names a role whose trust policy could be full' }
    return { status: 'pass', evidence: [...counted, ...measured] }
  },
})
