/** Which issuers the clouds know, each asked only where a workload shows that the cloud is in use. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import type { FederatingCloud } from '../../domain/federation-marks.ts'
import { aws, azure, gcp } from '../../domain/questions.ts'
import { type Listed, listed } from '../lists.ts'
import { type Federation, federation } from './federation.ts'
import { judgedAccounts } from './judged-accounts.ts'

const uses = (fact: Fact<Federation>, cloud: FederatingCloud): boolean =>
  fact.state === 'known' && fact.value.clouds.includes(cloud)

export type AwsProvider = { readonly arn: string; readonly account: string; readonly issuer: string }

const providerArn = /^arn:[a-z0-9-]+:iam::(\d{12}):oidc-provider\/(\S+)$/
const readProvider = (json: Json): AwsProvider | undefined => {
  const arn = textAt(json, 'Arn')
  const [, account, url] = providerArn.exec(arn ?? '') ?? []
  return arn === undefined || account === undefined || url === undefined
    ? undefined
    : { arn, account, issuer: `https://${url}` }
}

const accountOf = (arn: string | undefined): string | undefined => /^arn:[a-z0-9-]+:iam::(\d{12}):/.exec(arn ?? '')?.[1]

/** The IAM OIDC providers of the accounts in which the judged ServiceAccounts have their roles. */
export const awsProviders = defineProbe({
  id: 'cluster/aws-providers',
  about: 'the IAM OIDC providers',
  scope: 'cluster',
  needs: {},
  wants: { federation, judgedAccounts },
  ask: async (_have, { federation, judgedAccounts }, inquiry): Promise<Fact<Listed<AwsProvider>>> => {
    if (!uses(federation, 'aws')) return absent(aws.oidcProviders())
    const accounts = new Set<string | undefined>()
    for (const { fact } of judgedAccounts.state === 'known' ? judgedAccounts.value : []) {
      const number = fact.state === 'known' ? accountOf(fact.value.annotations[roleAnnotation]) : undefined
      if (number !== undefined) accounts.add(number)
    }
    if (accounts.size === 0) accounts.add(undefined)
    const facts = await Promise.all(
      [...accounts].map(async (account) =>
        listed(await inquiry.ask(aws.oidcProviders(account)), readProvider, 'OpenIDConnectProviderList'),
      ),
    )
    const items = facts.flatMap((fact) => (fact.state === 'known' ? fact.value.items : []))
    const unseen = facts.find((fact) => fact.state === 'unknown')
    if (unseen !== undefined && items.length === 0) return unseen
    const complete = facts.every((fact) => fact.state === 'known' && fact.value.complete)
    return known({ items, complete }, aws.oidcProviders())
  },
})

export type GoogleProvider = {
  readonly name: string
  readonly issuer: string
  readonly audiences: readonly string[]
  /** The keys were uploaded, so nobody fetches them. */
  readonly uploaded: boolean
}

const readGoogle = (json: Json): GoogleProvider | undefined => {
  const issuer = textAt(json, 'oidc', 'issuerUri')
  const name = textAt(json, 'name')
  if (issuer === undefined || name === undefined) return undefined
  return {
    name,
    issuer,
    audiences: textsAt(at(json, 'oidc'), 'allowedAudiences'),
    uploaded: textAt(json, 'oidc', 'jwksJson') !== undefined,
  }
}

export const googleProviders = defineProbe({
  id: 'cluster/google-providers',
  about: 'the providers of the workload identity pools',
  scope: 'cluster',
  needs: {},
  wants: { federation },
  ask: async (_have, { federation }, inquiry): Promise<Fact<Listed<GoogleProvider>>> => {
    if (!uses(federation, 'gcp')) return absent(gcp.workloadIdentityPoolProviders())
    const fact = await inquiry.ask(gcp.workloadIdentityPoolProviders())
    // A provider of another kind (SAML, AWS) is none of this cluster's.
    const oidcOnly =
      fact.state === 'known'
        ? known(
            {
              providers: listAt(fact.value, 'providers').filter((one) => at(one, 'oidc') !== undefined),
              complete: at(fact.value, 'complete') !== false,
            },
            fact.from,
          )
        : fact
    return listed(oidcOnly, readGoogle, 'providers')
  },
})

export type AzureCredential = {
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
}

const readCredential = (json: Json): AzureCredential | undefined => {
  const issuer = textAt(json, 'issuer')
  const subject = textAt(json, 'subject')
  return issuer === undefined || subject === undefined
    ? undefined
    : { issuer, subject, audiences: textsAt(json, 'audiences') }
}

export const azureCredentials = defineProbe({
  id: 'cluster/azure-credentials',
  about: 'the federated identity credentials',
  scope: 'cluster',
  needs: {},
  wants: { federation },
  ask: async (_have, { federation }, inquiry): Promise<Fact<Listed<AzureCredential>>> =>
    uses(federation, 'azure')
      ? listed(await inquiry.ask(azure.federatedIdentityCredentials()), readCredential, 'credentials')
      : absent(azure.federatedIdentityCredentials()),
})
