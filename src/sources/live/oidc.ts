/** The OIDC source: an issuer's documents and certificates as anybody on the internet gets them, from this machine. */
import { absent, type Fact, known, type Question, type Source, unknown, type Why } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { publicKeySet } from '../../domain/jwks.ts'
import type { TokenName } from '../../domain/questions.ts'
import { clockBehind } from './date-header.ts'
import { readLab } from './lab-hook.ts'
import { type PublicWebSettings, publicWeb } from './public-web.ts'
import type { TokenVault } from './token-vault.ts'
import { plain, wordsOf } from './trouble.ts'
import type { NoReply, Reply } from './wire.ts'

export type OidcDeps = Omit<PublicWebSettings, 'env' | 'lab'> & {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly vault: TokenVault
  /** Sees to it that the vault holds this token; the fact tells whether it does. */
  readonly mint: (token: TokenName, signal?: AbortSignal) => Promise<Fact<Json>>
  /** Stops what several questions share: a document, a token. */
  readonly signal?: AbortSignal | undefined
}

export type OidcSource = Source & { readonly lab: boolean; readonly close: () => void }

const elsewhere =
  'run this where the internet can be reached directly, or give the document with -f (`curl` it from such a machine)'

/** @throws LiveTrouble where KUBECTL_WI_LAB cannot be used */
export function oidcSource(deps: OidcDeps): OidcSource {
  const env = deps.env ?? process.env
  const lab = readLab(env)
  const web = publicWeb({ ...deps, env, lab })
  const documents = new Map<string, Promise<Fact<Json>>>()

  const document = (address: string, question: Question): Promise<Fact<Json>> => {
    const held = documents.get(address)
    const coming = held ?? fetchDocument(address, question, deps.signal)
    if (held === undefined) documents.set(address, coming)
    return coming.then((fact) => ({ ...fact, from: question }))
  }

  const fetchDocument = async (address: string, question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const url = URL.parse(address)
    const shown = url === null ? plain(address) : plain(`${url.origin}${url.pathname}`)
    const failed = (kind: string, detail: string): Fact<Json> =>
      known({ url: shown, failure: { kind, detail } }, question)
    if (url === null || url.protocol !== 'https:') return failed('not-https', `${shown} is not an https URL`)
    url.username = ''
    url.password = ''
    const begun = performance.now()
    const reply = await web.get(url, signal)
    const seconds = Math.round((performance.now() - begun) / 100) / 10
    const proxied = web.proxied(url.hostname)
    if ('trouble' in reply) {
      if (!proxied && reply.trouble === 'too-large') return failed('too-large', reply.detail)
      if (!proxied && reply.trouble === 'tls') return failed('tls', `${reply.detail} (${reply.code})`)
      if (!proxied && reply.code === 'ECONNREFUSED') return failed('refused', `${url.host} refused the connection`)
      if (!proxied && (reply.code === 'ENOTFOUND' || reply.code === 'ENODATA'))
        return failed('name-not-found', `the name ${url.hostname} does not exist`)
      return silence(reply, url.host, question)
    }
    const found = outcome(shown, reply)
    // What a proxy says in the issuer's place (a block page, a sign-in page) is not the issuer's answer.
    if (proxied && (reply.status !== 200 || found.document === undefined))
      return unknown('unreachable', `only a proxy answered for ${url.host} (${reply.status})`, question, elsewhere)
    // Only what is slow is worth a word: the time is another with every fetch.
    return known(seconds < 1 ? found : { ...found, seconds }, question)
  }

  const certificates = async (question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const host = textAt(question.input, 'host') ?? ''
    const port = typeof question.input.port === 'number' ? question.input.port : 443
    if (web.proxied(host))
      return unknown(
        'unreachable',
        `${plain(host)} is reached through a proxy, which may show a certificate of its own`,
        question,
        elsewhere,
      )
    const seen = await web.certificates(host, port, signal)
    return isNoReply(seen) ? silence(seen, host, question) : known(seen, question)
  }

  const clock = async (question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const url = URL.parse(textAt(question.input, 'url') ?? '')
    if (url?.protocol !== 'https:') return unknown('not-asked', 'no https address is known', question)
    if (web.proxied(url.hostname))
      return unknown(
        'unreachable',
        `${plain(url.host)} is reached through a proxy, which may have a clock of its own`,
        question,
        elsewhere,
      )
    const seen = await clockBehind(question, () => web.get(url, signal))
    return 'trouble' in seen ? silence(seen, url.host, question) : seen
  }

  const addresses = async (question: Question): Promise<Fact<Json>> => {
    const host = textAt(question.input, 'host') ?? ''
    const found = await web.addresses(host)
    if (!isNoReply(found)) return known({ addresses: [...found] }, question)
    const missing = found.code === 'ENOTFOUND' || found.code === 'ENODATA'
    return missing && !web.proxied(host) ? absent(question) : silence(found, host, question)
  }

  const signature = async (question: Question): Promise<Fact<Json>> => {
    const { input } = question
    const uri = textAt(input, 'uri') ?? ''
    const token: TokenName = {
      namespace: textAt(input, 'namespace') ?? '',
      name: textAt(input, 'name') ?? '',
      audience: textAt(input, 'audience') ?? '',
    }
    const minted = await deps.mint(token, deps.signal)
    if (minted.state !== 'known') return { ...minted, from: question }
    const published = await document(uri, question)
    if (published.state !== 'known') return published
    const keys = isObject(published.value) ? published.value.document : undefined
    if (!isObject(keys) || !isList(keys.keys))
      return unknown('unreachable', `no key set was found at ${plain(uri)}`, question, 'publish the key set first')
    const verdict = deps.vault.lend(token, (raw) => verify(raw, publicKeySet(keys)))
    if (verdict === undefined) return unknown('cancelled', 'the token is no longer held', question)
    const seen = await verdict
    return seen === undefined
      ? unknown('malformed', 'the token is signed in a way that kubectl wi cannot verify', question)
      : known(seen, question)
  }

  return {
    name: lab === undefined ? 'the internet' : 'the lab in place of the internet',
    lab: lab !== undefined,
    ask: (question, signal) => {
      const { call, input } = question
      if (call === 'discovery') {
        const issuer = (textAt(input, 'issuer') ?? '').replace(/\/$/, '')
        return document(`${issuer}/.well-known/openid-configuration`, question)
      }
      if (call === 'jwks') return document(textAt(input, 'uri') ?? '', question)
      if (call === 'certificates') return certificates(question, signal)
      if (call === 'addresses') return addresses(question)
      if (call === 'clock') return clock(question, signal)
      if (call === 'signature') return signature(question)
      return unknown('not-asked', `${call} is not a question that the OIDC source knows`, question)
    },
    close: () => web.close(),
  }
}

const isNoReply = (value: object): value is NoReply => 'trouble' in value

function silence({ trouble, detail, code }: NoReply, host: string, question: Question): Fact<Json> {
  const why: Why = trouble === 'timeout' ? 'timeout' : trouble === 'cancelled' ? 'cancelled' : 'unreachable'
  return unknown(why, `${plain(host)}: ${detail}${code === '' ? '' : ` (${code})`}`, question, elsewhere)
}

function outcome(url: string, { status, headers, body }: Reply): JsonObject & { readonly document?: Json } {
  const document = parsed(body)
  const location = headers.location === undefined ? undefined : URL.parse(headers.location, url)
  return {
    url,
    status,
    contentType: plain(headers['content-type'] ?? ''),
    // Without its query: that of a sign-in page or a signed URL may hold a secret.
    ...(location === undefined || location === null
      ? {}
      : { location: plain(`${location.origin}${location.pathname}`) }),
    ...(document === undefined
      ? {}
      : { document: isObject(document) && isList(document.keys) ? publicKeySet(document) : document }),
  }
}

/** The JSON of a body; undefined where it is none, or nested deeper than any such document is. */
function parsed(body: Buffer): Json | undefined {
  try {
    const json: Json = JSON.parse(body.toString('utf8'))
    return isShallow(json, 32) ? json : undefined
  } catch {
    return undefined
  }
}

function isShallow(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1))
}

/** Whether one of these keys verifies the token's signature; says nothing about its claims. Undefined where jose cannot tell. */
async function verify(raw: string, keys: JsonObject): Promise<JsonObject | undefined> {
  const { compactVerify, createLocalJWKSet, errors } = await import('jose')
  const set = createLocalJWKSet(JSON.parse(JSON.stringify(keys)))
  try {
    await compactVerify(raw, set)
    return { verified: true }
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      for await (const key of error) {
        try {
          await compactVerify(raw, key)
          return { verified: true }
        } catch {
          // The next one may fit.
        }
      }
      return { verified: false, reason: 'none of the published keys of that kind verifies the signature' }
    }
    if (error instanceof errors.JWKSNoMatchingKey)
      return { verified: false, reason: 'no published key has the id and the algorithm of the token' }
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return { verified: false, reason: 'the published key with the id of the token does not verify its signature' }
    if (error instanceof errors.JOSENotSupported || error instanceof errors.JWSInvalid) return undefined
    return { verified: false, reason: `the published key with the id of the token cannot be used: ${wordsOf(error)}` }
  }
}
