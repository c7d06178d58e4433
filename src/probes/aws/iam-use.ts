/** How much of IAM's quotas is used: providers by account, and the length of the trust policies that are judged. */
import { absent, defineProbe, type Fact, known, type Question } from '../../core/fact.ts'
import { at, isObject, listAt, textAt } from '../../core/json.ts'
import { parseRoleArn, type RoleArn } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { aws, seen } from '../../domain/questions.ts'
import { judgedAccounts } from '../cluster/judged-accounts.ts'
import { observedErrors } from '../cluster/observed-errors.ts'
import { type AwsProvider, awsProviders } from '../cluster/registrations.ts'

/** By default: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const quotas = { providers: 100, trustPolicy: 2048, mostTrustPolicy: 4096 } as const
export const nearly = 0.9

export type TrustLength = {
  readonly role: string
  readonly account: string
  readonly length: number
  readonly from: Question
}

/** `complete`: every role that is named was seen, or is not there. */
export type TrustLengths = { readonly items: readonly TrustLength[]; readonly complete: boolean }

/** White space between the words of a document does not count. */
const lengthOf = (policy: unknown): number => JSON.stringify(policy).length

/** The trust policies of the roles that the judged ServiceAccounts name, as far as they were seen. */
export const trustLengths = defineProbe({
  id: 'aws/trust-lengths',
  about: 'the length of the trust policies',
  scope: 'cluster',
  needs: {},
  wants: { judgedAccounts },
  ask: async (_have, { judgedAccounts }, inquiry): Promise<Fact<TrustLengths>> => {
    const named = new Map<string, RoleArn>()
    let complete = true
    for (const { fact } of judgedAccounts.state === 'known' ? judgedAccounts.value : []) {
      if (fact.state === 'unknown') complete = false
      const value = fact.state === 'known' ? (fact.value.annotations[roleAnnotation] ?? '') : ''
      const arn = parseRoleArn(value)
      if (arn !== undefined) named.set(value, arn)
    }
    const items = await Promise.all(
      [...named.values()].map(async ({ account, name }): Promise<readonly TrustLength[]> => {
        const answer = await inquiry.ask(aws.role(account, name))
        if (answer.state === 'unknown') complete = false
        const policy = answer.state === 'known' ? at(answer.value, 'Role', 'AssumeRolePolicyDocument') : undefined
        return isObject(policy) ? [{ role: name, account, length: lengthOf(policy), from: answer.from }] : []
      }),
    )
    return known({ items: items.flat(), complete }, aws.roles())
  },
})

/** The account's own quota for trust policies; asked only where one is near the usual quota, and within the highest. */
export const trustQuota = defineProbe({
  id: 'aws/trust-quota',
  about: "the account's quota for trust policies",
  scope: 'cluster',
  needs: {},
  wants: { trustLengths },
  ask: async (_have, { trustLengths }, inquiry): Promise<Fact<number>> => {
    const near = (trustLengths.state === 'known' ? trustLengths.value.items : []).find(
      ({ length }) => length >= nearly * quotas.trustPolicy && length < nearly * quotas.mostTrustPolicy,
    )
    if (near === undefined) return absent(trustLengths.from)
    const answer = await inquiry.ask(aws.accountSummary(near.account))
    if (answer.state !== 'known') return answer
    const quota = at(answer.value, 'SummaryMap', 'AssumeRolePolicySizeQuota')
    return typeof quota === 'number' ? known(quota, answer.from) : absent(answer.from)
  },
})

export const isProviderQuota = (text: string): boolean =>
  text.includes('Cannot exceed quota for OpenIdConnectProvidersPerAccount')

const eksIssuer = /^https:\/\/oidc\.eks\.([a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?\/id\/[^/]+$/

/** Providers of EKS issuers that no cluster of their region has; asked only where IAM took no more of them. */
export const orphans = defineProbe({
  id: 'aws/orphaned-providers',
  about: 'the clusters that the OIDC providers belong to',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors, awsProviders },
  ask: async (_have, { observedErrors, awsProviders }, inquiry): Promise<Fact<readonly AwsProvider[]>> => {
    const full = observedErrors.state === 'known' && observedErrors.value.some(({ text }) => isProviderQuota(text))
    if (!full || awsProviders.state !== 'known') return absent(seen.errors())
    const regions = new Map<string, AwsProvider[]>()
    for (const provider of awsProviders.value.items) {
      const region = eksIssuer.exec(provider.issuer)?.[1]
      if (region !== undefined) regions.set(region, [...(regions.get(region) ?? []), provider])
    }
    const lost: AwsProvider[] = []
    for (const [region, providers] of regions) {
      const answer = await inquiry.ask(aws.clusters(region))
      if (answer.state !== 'known') return answer
      // An issuer names its region, so a cluster elsewhere cannot have it; only a whole list shows that nobody has.
      if (at(answer.value, 'complete') !== true) continue
      const issuers = new Set(listAt(answer.value, 'clusters').map((one) => textAt(one, 'issuer')))
      lost.push(...providers.filter(({ issuer }) => !issuers.has(issuer)))
    }
    return lost.length === 0 ? absent(awsProviders.from) : known(lost, awsProviders.from)
  },
})
