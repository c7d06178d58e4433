/** Azure as a pod meets it: the projected token as a client assertion at Entra's token endpoint; of the access token only claims are told. */
import { randomBytes } from 'node:crypto'
import { textAt } from '../../core/json.ts'
import type { TokenName } from '../../domain/questions.ts'
import { readToken } from '../../domain/token-claims.ts'
import type { Attempt } from './pod-aws.ts'
import { type Answered, type PodWeb, refusalOf, silent } from './pod-web.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'

export type PodAzure = {
  readonly assert: (token: TokenName, order: AzureOrder) => Promise<Attempt>
  /** Lists one blob of a container with what the exchange gave. */
  readonly list: (container: URL) => Promise<Attempt>
  /** Puts a small blob and deletes it again. */
  readonly write: (container: URL) => Promise<Attempt>
}
export type AzureOrder = { readonly authority: string; readonly tenant: string; readonly client: string }

/** Takes bearer tokens, and knows all that is asked here. */
const blobVersion = '2021-12-02'

export function podAzure(web: PodWeb, vault: TokenVault): PodAzure {
  let access: string | undefined
  const keep = (token: string): void => {
    access = token
  }
  type How = { readonly method?: 'PUT' | 'DELETE'; readonly body?: string; readonly blob?: boolean }
  const ask = async (url: URL, { blob = false, ...how }: How, says: (got: Answered) => { [name: string]: string }) => {
    if (access === undefined || url.protocol !== 'https:')
      return { state: 'unseen', detail: 'there is no token to ask with', unreachable: false } as const
    const headers = {
      Authorization: `Bearer ${access}`,
      'x-ms-version': blobVersion,
      'x-ms-date': new Date().toUTCString(),
      ...(blob ? { 'x-ms-blob-type': 'BlockBlob' } : {}),
    }
    const got = await web.send(url, { ...how, headers })
    if ('trouble' in got) return silent(url, got)
    return got.status >= 200 && got.status < 300
      ? ({ state: 'done', told: { endpoint: url.origin, ...says(got) } } as const)
      : blobRefusal(web, url, got)
  }
  return {
    assert: (token, order) => assertToEntra(web, vault, token, order, keep),
    list: (container) =>
      ask(new URL(`${container.pathname}?restype=container&comp=list&maxresults=1`, container), {}, ({ value }) => ({
        objects: typeof value === 'string' && value.includes('<Blob>') ? 'at least one' : 'none',
      })),
    write: async (container) => {
      const key = `kubectl-wi-exchange-test-${randomBytes(6).toString('hex')}`
      const url = new URL(`${container.pathname}/${key}`, container)
      const put = await ask(url, { method: 'PUT', body: 'kubectl wi exchange-test', blob: true }, () => ({ key }))
      return put.state === 'done' ? ask(url, { method: 'DELETE' }, () => ({ key })) : put
    },
  }
}

/** The storage account's own code is in a header and in its XML. */
function blobRefusal(web: PodWeb, url: URL, got: Answered): Attempt {
  if (got.status >= 500) return refusalOf(web, url, got)
  const text = typeof got.value === 'string' ? got.value : ''
  const header = got.headers['x-ms-error-code']
  const code = (typeof header === 'string' ? header : /<Code>(\w{1,80})</.exec(text)?.[1]) ?? `HTTP ${got.status}`
  const message = /<Message>([^<]{1,400})/.exec(text)?.[1]?.split('RequestId:')[0]?.trim() ?? ''
  return {
    state: 'refused',
    answer: { code: web.words(code), message: web.words(message), status: got.status, endpoint: url.origin },
  }
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential */
async function assertToEntra(
  web: PodWeb,
  vault: TokenVault,
  token: TokenName,
  { authority, tenant, client }: AzureOrder,
  keep: (access: string) => void,
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
  const raw = textAt(got.value, 'access_token')
  if (raw === undefined) return { state: 'unseen', detail: 'the answer of Entra holds no token', unreachable: false }
  keep(raw)
  const access = readToken(raw)
  const claims = access.state === 'read' ? access.claims : {}
  const [app, object, home] = [
    textAt(claims, 'appid') ?? textAt(claims, 'azp'),
    textAt(claims, 'oid'),
    textAt(claims, 'tid'),
  ]
  const told = { endpoint: url.origin, app: plain(app ?? ''), object: plain(object ?? ''), tenant: plain(home ?? '') }
  return { state: 'done', told }
}
