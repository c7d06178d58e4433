/** Whether the account of the role has an IAM OIDC provider for the issuer, and what there is in its place. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  type Question,
  type Unknown,
  unknown,
} from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import type { RoleArn } from '../../domain/arn.ts'
import { federatedIn } from '../../domain/aws-federated.ts'
import { hostPathOf, parseProviderArn, providerArn } from '../../domain/aws-trust-provider.ts'
import { isMasked, issuerIn } from '../../domain/issuer-url.ts'
import { aws } from '../../domain/questions.ts'
import { issuer } from '../cluster/issuer.ts'
import { type Listed, listed } from '../lists.ts'
import { cluster } from './cluster.ts'
import { stsAnswers } from './exchange.ts'
import { role } from './role.ts'
import { isWebIdentity, roleReference } from './role-reference.ts'

export type Registration = {
  readonly account: string
  readonly partition: string
  /** With https://. */
  readonly issuer: string
  /** Where the issuer was seen. */
  readonly issuerFrom: Question
  /** What the provider's ARN has to be. */
  readonly arn: string
  readonly state: 'registered' | 'missing' | 'not-seen'
  /** ARNs of the account's providers, as far as they were seen. */
  readonly listed: readonly string[]
  /** Another account that was seen to have the provider. */
  readonly elsewhere?: string
  /** Providers that the role's trust policy names. */
  readonly trusted: readonly string[]
  readonly from: Question
  /** Why it is not seen. */
  readonly unseen?: Unknown
  /** Another issuer, whose tokens STS was seen to refuse for want of a provider; and whether the account has one by now. */
  readonly refused?: { readonly issuer: string; readonly registered: boolean }
}

const readArn = (json: Json): string | undefined => textAt(json, 'Arn')

const providersOf = async (account: string | undefined, { ask }: Pick<Inquiry, 'ask'>): Promise<Fact<Listed<string>>> =>
  listed(await ask(aws.oidcProviders(account)), readArn, 'OpenIDConnectProviderList')

export const registration = defineProbe({
  id: 'aws/provider-registration',
  about: "the IAM OIDC providers of the role's account",
  scope: 'service-account',
  needs: { roleReference },
  wants: { issuer, cluster, role, stsAnswers },
  ask: async ({ roleReference }, { issuer, cluster, role, stsAnswers }, inquiry): Promise<Fact<Registration>> => {
    if (roleReference.state === 'absent' || !isWebIdentity(roleReference.value)) return absent(roleReference.from)
    const named = roleReference.value.arn
    if (named === undefined)
      return unknown('not-asked', `${roleReference.value.value.slice(0, 300)} is no role ARN`, roleReference.from)
    if (issuer.state !== 'known')
      return issuer.state === 'unknown' ? issuer : unknown('not-collected', 'the issuer was not seen', issuer.from)
    const hostPath = hostPathOf(issuer.value.issuer)
    const { account, partition } = named
    const arn = providerArn({ partition, accountId: account, hostPath })
    const texts = stsAnswers.state === 'known' ? stsAnswers.value.answers.map(({ text }) => text) : []
    const foreign = texts.map(unregisteredIn).find((one) => one !== undefined && hostPathOf(one) !== hostPath)
    const refused = foreign === undefined ? undefined : await refusedFor(foreign, named, inquiry)
    const base = {
      account,
      partition,
      arn,
      ...(refused === undefined ? {} : { refused }),
      issuer: issuer.value.issuer,
      issuerFrom: issuer.value.from,
      trusted: role.state === 'known' ? federatedIn(role.value.policy) : [],
    }
    const provider = await inquiry.ask(aws.oidcProvider(arn))
    if (provider.state === 'known')
      return known({ ...base, state: 'registered', listed: [arn], from: provider.from }, provider.from)
    const list = await providersOf(account, inquiry)
    const seen = list.state === 'known' ? list.value.items : []
    if (seen.includes(arn)) return known({ ...base, state: 'registered', listed: seen, from: list.from }, list.from)
    const missing = provider.state === 'absent' || (list.state === 'known' && list.value.complete)
    const elsewhere = await elsewhereIn(
      named,
      hostPath,
      cluster.state === 'known' ? cluster.value.account : undefined,
      inquiry,
    )
    return known(
      {
        ...base,
        state: missing ? 'missing' : 'not-seen',
        listed: seen,
        ...(elsewhere === undefined ? {} : { elsewhere }),
        ...(provider.state === 'unknown' ? { unseen: provider } : {}),
        from: list.from,
      },
      list.from,
    )
  },
})

/** The issuer for which STS found no provider. */
function unregisteredIn(text: string): string | undefined {
  const issuer = /No OpenIDConnect provider found/i.test(text) ? issuerIn(text) : undefined
  return issuer === undefined || isMasked(issuer) ? undefined : issuer
}

async function refusedFor(
  issuer: string,
  { account, partition }: RoleArn,
  inquiry: Inquiry,
): Promise<Registration['refused']> {
  const arn = providerArn({ partition, accountId: account, hostPath: hostPathOf(issuer) })
  const { state } = await inquiry.ask(aws.oidcProvider(arn))
  if (state === 'known') return { issuer, registered: true }
  const list = await providersOf(account, inquiry)
  return { issuer, registered: list.state === 'known' && list.value.items.includes(arn) }
}

/** The account of the cluster, or that of the credentials, is where a provider is created that belongs elsewhere. */
async function elsewhereIn(
  { account, partition }: RoleArn,
  hostPath: string,
  clusterAccount: string | undefined,
  inquiry: Inquiry,
): Promise<string | undefined> {
  const own = await providersOf(undefined, inquiry)
  for (const one of own.state === 'known' ? own.value.items : []) {
    const parts = parseProviderArn(one)
    if (parts?.hostPath === hostPath && parts.accountId !== account) return parts.accountId
  }
  if (clusterAccount === undefined || clusterAccount === account) return undefined
  const there = await inquiry.ask(aws.oidcProvider(providerArn({ partition, accountId: clusterAccount, hostPath })))
  return there.state === 'known' ? clusterAccount : undefined
}

export type Provider = {
  /** Without scheme. */
  readonly url: string
  readonly clientIds: readonly string[]
  /** The only one among the documents, taken for the cluster's because nothing shows the issuer. */
  readonly assumed: boolean
}

const readProvider =
  (assumed: boolean) =>
  (json: Json): Provider | undefined => {
    const url = textAt(json, 'Url')
    if (url === undefined) return undefined
    return { url, clientIds: listAt(json, 'ClientIDList').filter((one) => typeof one === 'string'), assumed }
  }

const look = async (arn: string, assumed: boolean, { ask }: Inquiry): Promise<Fact<Provider>> => {
  const fact = await ask(aws.oidcProvider(arn))
  if (fact.state !== 'known') return fact
  const value = readProvider(assumed)(fact.value)
  return value === undefined
    ? unknown('malformed', 'the provider has a form that is not understood', fact.from)
    : known(value, fact.from)
}

export const oidcProvider = defineProbe({
  id: 'aws/oidc-provider',
  about: 'the IAM OIDC provider of the issuer',
  scope: 'service-account',
  needs: {},
  wants: { roleReference, issuer, role },
  ask: async (_have, { roleReference, issuer, role }, inquiry): Promise<Fact<Provider>> => {
    if (roleReference.state === 'absent') return absent(roleReference.from)
    if (roleReference.state === 'known' && !isWebIdentity(roleReference.value)) return absent(roleReference.from)
    const named = roleReference.state === 'known' ? roleReference.value.arn : undefined
    if (named !== undefined && issuer.state === 'known') {
      const { account, partition } = named
      return look(
        providerArn({ partition, accountId: account, hostPath: hostPathOf(issuer.value.issuer) }),
        false,
        inquiry,
      )
    }
    const trusted = new Set(
      (role.state === 'known' ? federatedIn(role.value.policy) : []).filter(
        (one) => parseProviderArn(one)?.accountId === named?.account,
      ),
    )
    const [only] = trusted
    if (only !== undefined && trusted.size === 1) return look(only, true, inquiry)
    const list = await providersOf(named?.account, inquiry)
    if (list.state !== 'known') return list
    const [single, ...others] = list.value.items
    // A complete list is that of an account, and its one provider may be anybody's; a lone document was put there to be looked at.
    if (single !== undefined && others.length === 0 && !list.value.complete) return look(single, true, inquiry)
    if (roleReference.state === 'unknown') return roleReference
    return issuer.state === 'unknown' ? issuer : unknown('not-collected', 'the issuer was not seen', issuer.from)
  },
})
