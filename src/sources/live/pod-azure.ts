/** Azure as a pod meets it: the projected token as a client assertion at Entra's token endpoint; of the access token only claims are told. */
import { textAt } from '../../core/json.ts'
import { blobHosts, cloudOfAuthority } from '../../domain/azure-clouds.ts'
import type { TokenName } from '../../domain/questions.ts'
import { readToken } from '../../domain/token-claims.ts'
import type { Attempt } from './pod-aws.ts'
import { blobStorage, type Store } from './pod-stores.ts'
import { type PodWeb, refusalOf, silent } from './pod-web.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'

export type AzureOrder = { readonly authority: string; readonly tenant: string; readonly client: string }

export type PodAzure = {
  readonly assert: (token: TokenName, order: AzureOrder) => Promise<Attempt>
  /** A container of a storage account, with the token that came last. */
  readonly store: (account: string, container: string) => Store
}

const access = { given: 'access token of Azure' }

export function podAzure(web: PodWeb, vault: TokenVault, env: NodeJS.ProcessEnv): PodAzure {
  const cloud = cloudOfAuthority(env.AZURE_AUTHORITY_HOST ?? '') ?? 'AzurePublicCloud'
  return {
    assert: (token, order) => assertToEntra(web, vault, token, order),
    store: (account, container) =>
      blobStorage({ web, vault, token: access }, `${account}.${blobHosts[cloud]}`, container),
  }
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential */
async function assertToEntra(
  web: PodWeb,
  vault: TokenVault,
  token: TokenName,
  { authority, tenant, client }: AzureOrder,
): Promise<Attempt> {
  const url = URL.parse(`${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`)
  if (url?.protocol !== 'https:')
    return {
      state: 'refused',
      answer: {
        code: 'AuthorityNotHttps',
        message: `${plain(authority)} is no https address, so no token was sent there`,
      },
    }
  const going = vault.lend(token, (raw) =>
    web.send(url, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded;charset=utf-8' },
      body: new URLSearchParams({
        client_id: client,
        scope: 'https://storage.azure.com/.default',
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: raw,
      }).toString(),
    }),
  )
  if (going === undefined) return { state: 'unseen', detail: 'the token is no longer held', unreachable: false }
  const got = await going
  if ('trouble' in got) return silent(url, got)
  if (got.status !== 200) return refusalOf(web, url, got)
  const given = textAt(got.value, 'access_token')
  if (given === undefined) return { state: 'unseen', detail: 'the answer of Entra holds no token', unreachable: false }
  vault.keep(access, given)
  const read = readToken(given)
  const claims = read.state === 'read' ? read.claims : {}
  const [app, object, home] = [
    textAt(claims, 'appid') ?? textAt(claims, 'azp'),
    textAt(claims, 'oid'),
    textAt(claims, 'tid'),
  ]
  const told = { endpoint: url.origin, app: plain(app ?? ''), object: plain(object ?? ''), tenant: plain(home ?? '') }
  return { state: 'done', told }
}
