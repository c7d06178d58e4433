/** Google's Security Token Service: verifies a token through the provider's issuer, audiences, keys, mapping and condition (RFC 8693). */
import { randomBytes } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Outcome } from '../domain/gcp-cel.ts'
import type { Mapped, Workload } from '../domain/gcp-members.ts'
import { audiencesOf, type Provider, partsOf, readPool, readProvider } from '../domain/gcp-provider.ts'
import { gcp } from '../domain/questions.ts'
import { isTokenShaped, readToken } from '../domain/token-claims.ts'
import { json, StsError, stsReply } from './gcp-answers.ts'
import type { GoogleState } from './gcp-state.ts'
import type { Reply, Request } from './listener.ts'
import { verifiesByPublishedKeys, type World } from './published-keys.ts'

/** Whom an access token of the lab stands for. */
export type Bearer =
  | { readonly kind: 'person' }
  | { readonly kind: 'workload'; readonly workload: Workload; readonly principal: string }
  | { readonly kind: 'account'; readonly email: string }

export type Tokens = {
  readonly give: (bearer: Bearer) => string
  readonly of: (request: Pick<Request, 'headers'>) => Bearer | undefined
}

export function tokensOfLab(): Tokens {
  const held = new Map<string, Bearer>()
  return {
    give: (bearer) => {
      const token = `ya29.${bearer.kind === 'workload' ? 'd.' : 'c.'}${randomBytes(24).toString('base64url')}`
      held.set(token, bearer)
      return token
    },
    of: ({ headers }) => held.get(/^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''),
  }
}

export type StsDesk = {
  readonly state: GoogleState
  readonly tokens: Tokens
  readonly world: World
  /** The issuer of the cluster, which GKE's own pool trusts. */
  readonly issuer: string
  /** What the person signs in with, in the place of a browser. */
  readonly person: { readonly audience: string; readonly secret: string }
  readonly now: () => number
}

const jwt = 'urn:ietf:params:oauth:token-type:jwt'
const access = 'urn:ietf:params:oauth:token-type:access_token'
const target = () =>
  new StsError(
    'invalid_target',
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
  )
const grant = (description: string): StsError => new StsError('invalid_grant', description)
const unconnected = () => grant("Error connecting to the given credential's issuer.")

/** Form-encoded in snake case, or JSON in camel case. */
function orderIn({ headers, body }: Request): (name: string) => string {
  if ((headers['content-type'] ?? '').includes('json')) {
    let parsed: Json = {}
    try {
      parsed = JSON.parse(body)
    } catch {
      throw new StsError('invalid_request', 'The request body is not JSON.')
    }
    return (name) =>
      textAt(
        parsed,
        name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      ) ?? ''
  }
  const form = new URLSearchParams(body)
  return (name) => form.get(name) ?? ''
}

export async function exchangeToken(request: Request, desk: StsDesk): Promise<Reply> {
  try {
    const of = orderIn(request)
    if (of('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange')
      throw new StsError('unsupported_grant_type', 'Invalid value for "grant_type".')
    const { bearer, seconds } = await bearerFor(of, desk)
    return json(200, {
      access_token: desk.tokens.give(bearer),
      issued_token_type: access,
      token_type: 'Bearer',
      expires_in: seconds,
    })
  } catch (error) {
    if (error instanceof StsError) return stsReply(error)
    throw error
  }
}

async function bearerFor(
  of: (name: string) => string,
  desk: StsDesk,
): Promise<{ readonly bearer: Bearer; readonly seconds: number }> {
  const { person } = desk
  const audience = of('audience')
  if (audience === person.audience && of('subject_token') === person.secret)
    return { bearer: { kind: 'person' }, seconds: 3600 }
  const token = of('subject_token')
  const gke = /^identitynamespace:([^:]+):(https:\/\/.+)$/.exec(audience)
  const name =
    /^\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/.exec(
      audience,
    )?.[1]
  if (gke === null && name === undefined)
    throw new StsError(
      'invalid_request',
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
    )
  if (of('subject_token_type') !== jwt || !isTokenShaped(token))
    throw new StsError('invalid_request', 'Invalid value for "subject_token_type" or "subject_token".')
  return gke === null ? byProvider(name ?? '', token, desk) : byCluster(gke[1] ?? '', gke[2] ?? '', token, desk)
}

function claimsOf(token: string): JsonObject {
  const reading = readToken(token)
  if (reading.state !== 'read') throw grant('The subject token is not a valid JWT.')
  return reading.claims
}

function secondsLeft(claims: JsonObject, now: number): number {
  const [issued, expires] = [claims.iat, claims.exp]
  const at = Math.floor(now / 1000)
  if (typeof issued !== 'number' || typeof expires !== 'number' || expires + 60 < at)
    throw grant(`ID Token issued at ${typeof issued === 'number' ? issued : 'null'} is stale to sign-in.`)
  return Math.max(1, Math.min(3600, expires - at))
}

async function byCluster(pool: string, url: string, token: string, { state, world, issuer, now }: StsDesk) {
  const own = textAt(state.cluster, 'workloadIdentityConfig', 'workloadPool')
  const link = textAt(state.cluster, 'selfLink')
  if (own !== pool || link !== url) throw target()
  const claims = claimsOf(token)
  if (!textsOf(claims.aud).includes(pool))
    throw grant(`The audience in ID Token [${textsOf(claims.aud).join(', ')}] does not match the expected audience.`)
  if (claims.iss !== issuer || !(await verifiesByPublishedKeys(token, issuer, world))) throw unconnected()
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(textAt(claims, 'sub') ?? '') ?? []
  if (namespace === undefined || name === undefined) throw grant('The subject is no ServiceAccount.')
  const uid = textAt(claims, 'kubernetes.io', 'serviceaccount', 'uid')
  const project = /\/projects\/([^/]+)\//.exec(url)?.[1] ?? ''
  const number = textAt(state.get(gcp.project(project)), 'projectNumber')
  const workload: Workload = {
    namespace,
    name,
    pool,
    cluster: url,
    ...(uid === undefined ? {} : { uid }),
    ...(number === undefined ? {} : { number }),
  }
  const principal = `principal://iam.googleapis.com/projects/${number ?? '0'}/locations/global/workloadIdentityPools/${pool}/subject/ns/${namespace}/sa/${name}`
  return { bearer: { kind: 'workload', workload, principal } as const, seconds: secondsLeft(claims, now()) }
}

async function byProvider(name: string, token: string, { state, world, now }: StsDesk) {
  const held = state.get(gcp.provider(name))
  const provider = held === undefined ? undefined : readProvider(held)
  const parts = partsOf(name)
  const poolOf = `projects/${parts?.number}/locations/global/workloadIdentityPools/${parts?.pool}`
  const pool = readPool(state.get(gcp.pool(poolOf)) ?? { name: poolOf })
  if (provider === undefined || provider.disabled || provider.state === 'DELETED') throw target()
  if (pool?.disabled === true || pool?.state === 'DELETED') throw target()
  const claims = claimsOf(token)
  const issuer = textAt(claims, 'iss') ?? ''
  if (issuer !== provider.issuer)
    throw grant(`The issuer in ID Token ${issuer} does not match the expected ones: ${provider.issuer ?? ''}`)
  const audiences = textsOf(claims.aud)
  if (!audiences.some((one) => audiencesOf(provider).includes(one)))
    throw grant(`The audience in ID Token [${audiences.join(', ')}] does not match the expected audience.`)
  await verify(token, provider, world)
  const seconds = secondsLeft(claims, now())
  const { evaluateProvider } = await import('../domain/gcp-cel.ts')
  const { mapped, condition } = evaluateProvider(provider.mapping, provider.condition, claims)
  const subject = textOf(mapped['google.subject'])
  if (subject === undefined)
    throw new StsError('unauthorized_client', 'Could not obtain a value for google.subject from the given credential.')
  if (Buffer.byteLength(subject) > 127)
    throw new StsError('invalid_request', 'The size of mapped attribute google.subject exceeds the 127 bytes limit.')
  if (condition !== undefined && !(condition.state === 'value' && condition.value === true))
    throw new StsError('unauthorized_client', 'The given credential is rejected by the attribute condition.')
  const groups = mapped['google.groups']
  const all: Mapped = {
    pool: provider.pool,
    number: provider.number,
    subject,
    groups: groups?.state === 'value' ? textsOf(groups.value) : [],
    attributes: Object.fromEntries(
      Object.entries(mapped).flatMap(([key, outcome]) => {
        const value = key.startsWith('attribute.') ? textOf(outcome) : undefined
        return value === undefined ? [] : [[key.slice('attribute.'.length), value] as const]
      }),
    ),
  }
  const workload: Workload = { namespace: '', name: '', mapped: all }
  const principal = `principal://iam.googleapis.com/${poolOf}/subject/${subject}`
  return { bearer: { kind: 'workload', workload, principal } as const, seconds }
}

async function verify(token: string, provider: Provider, world: World): Promise<void> {
  if (provider.keys === undefined) {
    if (!(await verifiesByPublishedKeys(token, provider.issuer ?? '', world))) throw unconnected()
    return
  }
  const reading = readToken(token)
  const kid = reading.state === 'read' ? textAt(reading.header, 'kid') : undefined
  const keys = provider.keys === 'malformed' ? [] : provider.keys.filter((key) => key.kid === kid)
  if (keys.length === 0) throw unconnected()
  for (const key of keys) {
    try {
      await compactVerify(token, await importJWK({ ...key, kty: textAt(key, 'kty') ?? '' }, 'RS256'))
      return
    } catch {
      // Another key may stand under the same kid.
    }
  }
  throw grant('Unable to verify the ID Token signature.')
}

const textOf = (outcome: Outcome | undefined): string | undefined =>
  outcome?.state === 'value' && typeof outcome.value === 'string' && outcome.value !== '' ? outcome.value : undefined
const textsOf = (value: Json | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : isObject(value) || value === undefined ? [] : textsAt({ value }, 'value')
