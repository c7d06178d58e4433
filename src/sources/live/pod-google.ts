/** Google Cloud as a pod meets it: its metadata server, or STS and then the account that a credential configuration names. */
import { textAt } from '../../core/json.ts'
import type { TokenName } from '../../domain/questions.ts'
import type { Attempt } from './pod-aws.ts'
import { cloudStorage, type Store } from './pod-stores.ts'
import { type PodWeb, refusalOf, silent } from './pod-web.ts'
import type { GivenName, TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'

export type GoogleConfiguration = {
  readonly audience: string
  readonly tokenType: string
  readonly tokenUrl: string
  /** Where an access token of a service account is then asked for. */
  readonly impersonationUrl?: string
}
export type PodGoogle = {
  readonly exchange: (token: TokenName, configuration: GoogleConfiguration) => Promise<Attempt>
  readonly impersonate: (address: string) => Promise<Attempt>
  /** Whose the federated token is. */
  readonly introspect: (configuration: GoogleConfiguration) => Promise<Attempt>
  /** Whether Google's metadata server answers: the account that it shows. */
  readonly metadataAccount: () => Promise<Attempt>
  readonly metadataToken: () => Promise<Attempt>
  /** A bucket, with the token that came last. */
  readonly store: (bucket: string) => Store
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'
const flavor = { 'Metadata-Flavor': 'Google' }
const shortly = 1000

/** A configuration may come from anywhere; a token goes to Google alone. */
function googleUrl(address: string): URL | undefined {
  const url = URL.parse(address)
  return url?.protocol === 'https:' && url.port === '' && /(^|\.)googleapis\.com$/.test(url.hostname) ? url : undefined
}
const notGoogle = (address: string): Attempt => ({
  state: 'refused',
  answer: { code: 'NotGoogle', message: `${plain(address)} is no address of Google, so no token was sent there` },
})

const gone: Attempt = { state: 'unseen', detail: 'the token is no longer held', unreachable: false }

export function podGoogle(web: PodWeb, vault: TokenVault, env: NodeJS.ProcessEnv): PodGoogle {
  const federated = { given: 'federated token of Google' }
  const access = { given: 'access token of Google' }
  /** Holds what came, if anything did. */
  const done = (url: URL, raw: string | undefined, without: string, ...names: readonly GivenName[]): Attempt => {
    if (raw === undefined) return { state: 'unseen', detail: without, unreachable: false }
    for (const name of names) vault.keep(name, raw)
    return { state: 'done', told: { endpoint: url.origin } }
  }
  const metadata = (path: string): URL | null =>
    URL.parse(
      `http://${env.GCE_METADATA_IP || env.GCE_METADATA_HOST || '169.254.169.254'}/computeMetadata/v1/instance/service-accounts/default/${path}`,
    )
  const fromMetadata = async (path: string, timeoutMs: number): Promise<Attempt> => {
    const url = metadata(path)
    if (url === null) return { state: 'unseen', detail: 'GCE_METADATA_HOST is no host', unreachable: false }
    const got = await web.send(url, { headers: flavor, timeoutMs })
    if ('trouble' in got) return silent(url, got)
    // Other clouds have a server at the same address, which does not say that it is Google's.
    if (got.headers['metadata-flavor'] !== 'Google')
      return { state: 'unseen', detail: 'what answers there is not a metadata server of Google', unreachable: true }
    if (got.status !== 200) return refusalOf(web, url, got)
    if (path === 'email')
      return { state: 'done', told: { account: typeof got.value === 'string' ? web.words(got.value) : '' } }
    return done(url, textAt(got.value, 'access_token'), 'its answer holds no token', access)
  }
  return {
    exchange: async (token, { audience, tokenType, tokenUrl }) => {
      const url = googleUrl(tokenUrl)
      if (url === undefined) return notGoogle(tokenUrl)
      const going = vault.lend(token, (raw) =>
        web.send(url, {
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            audience,
            scope,
            requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            subject_token: raw,
            subject_token_type: tokenType,
          }).toString(),
        }),
      )
      if (going === undefined) return gone
      const got = await going
      if ('trouble' in got) return silent(url, got)
      if (got.status !== 200) return refusalOf(web, url, got)
      return done(url, textAt(got.value, 'access_token'), 'the answer of STS holds no token', federated, access)
    },
    impersonate: async (address) => {
      const url = googleUrl(address)
      if (url === undefined) return notGoogle(address)
      const going = vault.lend(federated, (raw) =>
        web.send(url, {
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${raw}` },
          body: JSON.stringify({ scope: [scope], lifetime: '600s' }),
        }),
      )
      if (going === undefined) return gone
      const got = await going
      if ('trouble' in got) return silent(url, got)
      if (got.status !== 200) return refusalOf(web, url, got)
      return done(url, textAt(got.value, 'accessToken'), 'the answer holds no token', access)
    },
    introspect: async ({ tokenUrl }) => {
      const url = googleUrl(new URL('/v1/introspect', tokenUrl).href)
      if (url === undefined) return notGoogle(tokenUrl)
      const going = vault.lend(federated, (raw) =>
        web.send(url, {
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ token: raw }).toString(),
        }),
      )
      if (going === undefined) return gone
      const got = await going
      if ('trouble' in got) return silent(url, got)
      const principal = textAt(got.value, 'username')
      return got.status !== 200 || principal === undefined
        ? { state: 'unseen', detail: `STS does not say whose the token is (${got.status})`, unreachable: false }
        : { state: 'done', told: { principal: web.words(principal) } }
    },
    metadataAccount: () => fromMetadata('email', shortly),
    metadataToken: () => fromMetadata('token', 10_000),
    store: (bucket) => cloudStorage({ web, vault, token: access }, bucket),
  }
}
