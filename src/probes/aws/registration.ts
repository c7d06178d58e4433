/** Whether the account of the role has an IAM OIDC provider for the issuer, and what there is in its place. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  inquire,
  known,
  onward,
  type Question,
  type Soon,
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

const providersOf = (account: string | undefined, { ask }: Pick<Inquiry, 'ask'>): Soon<Fact<Listed<string>>> =>
  onward(ask(aws.oidcProviders(account)), (list) => listed(list, readArn, 'OpenIDConnectProviderList'))

export const registration = defineProbe({
  id: 'aws/provider-registration',
  about: "the IAM OIDC providers of the role's account",
  scope: 'service-account',
  needs: { roleReference },
  wants: { issuer, cluster, role, stsAnswers },
  ask: ({ roleReference }, { issuer, cluster, role, stsAnswers }, inquiry): Soon<Fact<Registration>> => {
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
    const refusal = foreign === undefined ? undefined : refusedFor(foreign, named, inquiry)
    const plain = {
      account,
      partition,
      arn,
      issuer: issuer.value.issuer,
      issuerFrom: issuer.value.from,
      trusted: role.state === 'known' ? federatedIn(role.value.policy) : [],
    }
    const own = cluster.state === 'known' ? cluster.value.account : undefined
    return onward(refusal, (refused) => {
      const base = refused === undefined ? plain : { ...plain, refused }
      return onward(inquiry.ask(aws.oidcProvider(arn)), (provider): Soon<Fact<Registration>> => {
        if (provider.state === 'known')
          return known({ ...base, state: 'registered', listed: [arn], from: provider.from }, provider.from)
        return onward(providersOf(account, inquiry), (list): Soon<Fact<Registration>> => {
          const seen = list.state === 'known' ? list.value.items : []
          if (seen.includes(arn))
            return known({ ...base, state: 'registered', listed: seen, from: list.from }, list.from)
          const missing = provider.state === 'absent' || (list.state === 'known' && list.value.complete)
          return onward(elsewhereIn(named, hostPath, own, inquiry), (elsewhere) =>
            known(
              {
                ...base,
                state: missing ? 'missing' : 'not-seen',
                listed: seen,
                ...(elsewhere === undefined ? {} : { elsewhere }),
                ...(provider.state === 'unknown' ? { unseen: provider } : {}),
                from: list.from,
              },
              list.from,
            ),
          )
        })
      })
    })
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
function elsewhereIn(
  { account, partition }: RoleArn,
  hostPath: string,
  clusterAccount: string | undefined,
  inquiry: Inquiry,
): Soon<string | undefined> {
  return onward(providersOf(undefined, inquiry), (own): Soon<string | undefined> => {
    for (const one of own.state === 'known' ? own.value.items : []) {
      const parts = parseProviderArn(one)
      if (parts?.hostPath === hostPath && parts.accountId !== account) return parts.accountId
    }
    if (clusterAccount === undefined || clusterAccount === account) return undefined
    const provider = aws.oidcProvider(providerArn({ partition, accountId: clusterAccount, hostPath }))
    return onward(inquiry.ask(provider), ({ state }) => (state === 'known' ? clusterAccount : undefined))
  })
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

const look = (arn: string, assumed: boolean, inquiry: Inquiry): Soon<Fact<Provider>> =>
  inquire(inquiry, aws.oidcProvider(arn), readProvider(assumed))

export const oidcProvider = defineProbe({
  id: 'aws/oidc-provider',
  about: 'the IAM OIDC provider of the issuer',
  scope: 'service-account',
  needs: {},
  wants: { roleReference, issuer, role },
  ask: (_have, { roleReference, issuer, role }, inquiry): Soon<Fact<Provider>> => {
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
    return onward(providersOf(named?.account, inquiry), (list): Soon<Fact<Provider>> => {
      if (list.state !== 'known') return list
      const [single, ...others] = list.value.items
      // A complete list is that of an account, and its one provider may be anybody's; a lone document was put there to be looked at.
      if (single !== undefined && others.length === 0 && !list.value.complete) return look(single, true, inquiry)
      if (roleReference.state === 'unknown') return roleReference
      return issuer.state === 'unknown' ? issuer : unknown('not-collected', 'the issuer was not seen', issuer.from)
    })
  },
})
