/** Workload identity pools and their OIDC providers: names, what a mapping may hold, which audiences and keys are taken. */
import { at, isList, isObject, type Json, listAt, textAt, textsAt } from '../core/json.ts'

export type Key = { readonly [member: string]: Json }
export type Provider = {
  /** `projects/…/providers/…`. */
  readonly name: string
  readonly id: string
  readonly pool: string
  readonly number: string
  readonly state?: string
  readonly disabled: boolean
  readonly deletedAt?: string
  readonly issuer?: string
  readonly audiences: readonly string[]
  /** Undefined where none were uploaded; malformed where the upload is no key set. */
  readonly keys?: readonly Key[] | 'malformed'
  /** The same as it was uploaded. */
  readonly uploaded?: string
  readonly mapping: { readonly [key: string]: string }
  readonly condition?: string
}
export type Pool = {
  readonly name: string
  readonly state?: string
  readonly disabled: boolean
  readonly deletedAt?: string
}

export const partsOf = (
  name: string,
): { readonly number: string; readonly pool: string; readonly id: string } | undefined => {
  const [, number, pool = '', id = ''] =
    /^projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)(?:\/providers\/([^/]+))?$/.exec(name) ?? []
  return number === undefined ? undefined : { number, pool, id }
}

const keysIn = (text: string): readonly Key[] | 'malformed' => {
  try {
    const parsed: Json = JSON.parse(text)
    const keys = at(parsed, 'keys')
    return isList(keys) ? keys.filter(isObject) : 'malformed'
  } catch {
    return 'malformed'
  }
}

export function readPool(json: Json): Pool | undefined {
  const name = textAt(json, 'name')
  if (name === undefined) return undefined
  const state = textAt(json, 'state')
  const deletedAt = deletion(json)
  return {
    name,
    disabled: at(json, 'disabled') === true,
    ...(state === undefined ? {} : { state }),
    ...(deletedAt === undefined ? {} : { deletedAt }),
  }
}
/** The expiry stands 30 days behind the deletion. */
function deletion(json: Json): string | undefined {
  const expire = Date.parse(textAt(json, 'expireTime') ?? '')
  return Number.isNaN(expire) ? undefined : new Date(expire - 30 * 86_400_000).toISOString().slice(0, 10)
}

export function readProvider(json: Json): Provider | undefined {
  const name = textAt(json, 'name')
  const parts = partsOf(name ?? '')
  if (name === undefined || parts === undefined || parts.id === '') return undefined
  const jwks = textAt(json, 'oidc', 'jwksJson')
  const mapping: { [key: string]: string } = {}
  const raw = at(json, 'attributeMapping')
  if (isObject(raw)) for (const [key, value] of Object.entries(raw)) if (typeof value === 'string') mapping[key] = value
  const condition = textAt(json, 'attributeCondition')
  const issuer = textAt(json, 'oidc', 'issuerUri')
  return {
    name,
    id: parts.id,
    pool: parts.pool,
    number: parts.number,
    ...readPool(json),
    disabled: at(json, 'disabled') === true,
    ...(issuer === undefined ? {} : { issuer }),
    audiences: textsAt(json, 'oidc', 'allowedAudiences'),
    ...(jwks === undefined || jwks === '' ? {} : { keys: keysIn(jwks), uploaded: jwks }),
    mapping,
    ...(condition === undefined || condition.trim() === '' ? {} : { condition }),
  }
}

/** https://cloud.google.com/iam/docs/workload-identity-federation: where none are listed, its own name, with the scheme or without. */
export const audiencesOf = ({ name, audiences }: Provider): readonly string[] =>
  audiences.length > 0 ? audiences : [`https://iam.googleapis.com/${name}`, `//iam.googleapis.com/${name}`]

/** A provider id that begins with "-" was seen failing. */
export const isAllowedId = (id: string): boolean => /^[a-z0-9][a-z0-9-]{3,31}$/.test(id) && !id.startsWith('gcp-')

export type MappingFault = {
  readonly message: 'key-not-allowed' | 'mapping-over-limits' | 'condition-not-boolean'
  readonly data: { readonly [name: string]: string | number }
}

/** What is wrong with a mapping or condition whatever the token. */
export function faultOfMapping({ mapping, condition }: Provider): MappingFault | undefined {
  if (condition !== undefined && condition.length > 4096)
    return {
      message: 'condition-not-boolean',
      data: { condition: `${condition.slice(0, 80)}…`, type: `${condition.length} characters` },
    }
  const keys = Object.keys(mapping)
  for (const key of keys)
    if (
      key !== 'google.subject' &&
      key !== 'google.groups' &&
      !/^(?:attribute\.[a-z0-9_]{1,100}|google\.(?:display_name|profile_photo|posix_username|email|x509\.[a-z.]+))$/.test(
        key,
      )
    )
      return { message: 'key-not-allowed', data: { key } }
  const own = keys.filter((key) => key.startsWith('attribute.')).length
  if (own > 50) return { message: 'mapping-over-limits', data: { observed: `${own} attributes`, limit: '50' } }
  for (const [key, expression] of Object.entries(mapping))
    if (expression.length > 2048)
      return {
        message: 'mapping-over-limits',
        data: { observed: `${expression.length} characters under ${key}`, limit: '2048' },
      }
  return undefined
}

export const kidOf = (key: Key): string => textAt(key, 'kid') ?? ''
/** What a key is where Google does not take its type: P-256 and RSA only. */
export function unsupportedType(key: Key): string | undefined {
  const type = textAt(key, 'kty') ?? 'of no type'
  if (type === 'RSA') return undefined
  const curve = textAt(key, 'crv')
  if (type === 'EC') return curve === undefined || curve === 'P-256' ? undefined : `EC ${curve}`
  return curve === undefined ? type : `${type} ${curve}`
}
/** Whether two keys of one id are the same key; undefined where one lacks what is compared. */
export function sameKey(a: Key, b: Key): boolean | undefined {
  const members = textAt(a, 'kty') === 'RSA' ? ['n', 'e'] : ['x', 'y']
  const pairs = members.map((member) => [textAt(a, member), textAt(b, member)] as const)
  if (pairs.some(([one, other]) => one === undefined || other === undefined)) return undefined
  return pairs.every(([one, other]) => one === other)
}
/** The members that Google takes: https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes */
const taken = ['kty', 'alg', 'use', 'kid', 'n', 'e', 'x', 'y', 'crv'] as const

/** A key set as it can be uploaded: keys of the types that Google takes, without other members. */
export const uploadable = (keys: readonly Key[]): string =>
  JSON.stringify({
    keys: keys
      .filter((key) => unsupportedType(key) === undefined)
      .map((key) => Object.fromEntries(taken.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])))),
  })

export const keysOfSet = (json: Json): readonly Key[] => listAt(json, 'keys').filter(isObject)

/** Issuers behind which are the clusters or pipelines of many customers. */
const shared: readonly RegExp[] = [
  /^https:\/\/token\.actions\.githubusercontent\.com(?:\/|$)/,
  /^https:\/\/gitlab\.com(?:\/|$)/,
  /^https:\/\/app\.terraform\.io(?:\/|$)/,
  /^https:\/\/agent\.buildkite\.com(?:\/|$)/,
  /^https:\/\/oidc\.circleci\.com(?:\/|$)/,
  /^https:\/\/(?:accounts\.google\.com|login\.microsoftonline\.com)(?:\/|$)/,
]
export const isSharedIssuer = (issuer: string): boolean => shared.some((one) => one.test(issuer))
