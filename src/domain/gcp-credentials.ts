/** Credential configurations of type external_account: how they are read, and what is wrong with one. */
import { at, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'

export type Configuration = {
  /** The file's stem, or the ConfigMap's name. */
  readonly name: string
  readonly namespace?: string
  /** Key in the ConfigMap. */
  readonly key?: string
  readonly body: JsonObject
  /** As it stands in the ConfigMap, where all of it was seen. */
  readonly text?: string
}

const members = [
  'type',
  'universe_domain',
  'audience',
  'subject_token_type',
  'token_url',
  'token_info_url',
  'service_account_impersonation_url',
  'quota_project_id',
] as const

/** Only what a check may look at: headers of a URL source may hold a secret. */
export function pickConfiguration(value: Json | undefined): JsonObject | undefined {
  if (!isObject(value) || value.type !== 'external_account') return undefined
  const kept: { [key: string]: Json } = {}
  for (const member of members) {
    const text = value[member]
    if (typeof text === 'string' && text.length <= 2048) kept[member] = text
  }
  const seconds = at(value, 'service_account_impersonation', 'token_lifetime_seconds')
  if (typeof seconds === 'number') kept.service_account_impersonation = { token_lifetime_seconds: seconds }
  const { credential_source: source } = value
  if (isObject(source)) {
    const picked: { [key: string]: Json } = {}
    for (const name of ['file', 'url', 'environment_id', 'regional_cred_verification_url'])
      if (typeof source[name] === 'string') picked[name] = source[name]
    for (const name of ['certificate', 'executable']) if (source[name] !== undefined) picked[name] = {}
    if (isObject(source.format)) {
      const { type, subject_token_field_name: field } = source.format
      picked.format = {
        ...(typeof type === 'string' ? { type } : {}),
        ...(typeof field === 'string' ? { subject_token_field_name: field } : {}),
      }
    }
    kept.credential_source = picked
  }
  return kept
}

export const fullProvider =
  /^\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{1,63}\/providers\/[a-z0-9-]{1,63})$/

export const audienceOfConfiguration = ({ body }: Configuration): string => textAt(body, 'audience') ?? ''
/** `projects/…/providers/…` of the provider that a configuration, or a token's audience, names. */
export const providerIn = (audience: string | undefined): string | undefined =>
  /^(?:https:)?\/\/iam\.googleapis\.com\/(projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/.exec(
    audience ?? '',
  )?.[1] ??
  /^(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/.exec(audience ?? '')?.[1]
export const tokenFileOf = ({ body }: Configuration): string | undefined => textAt(body, 'credential_source', 'file')
export const impersonates = ({ body }: Configuration): string | undefined =>
  /serviceAccounts\/([^:/]+@[^:/]+):generateAccessToken$/.exec(
    textAt(body, 'service_account_impersonation_url') ?? '',
  )?.[1]
/** Left to whoever judges fleets. */
export const isFleet = (configuration: Configuration): boolean =>
  audienceOfConfiguration(configuration).startsWith('identitynamespace:')

/** The pool of the fleet that a configuration names; undefined for every other. */
export const fleetPool = (configuration: Configuration): string | undefined =>
  /^identitynamespace:([^:]+):https:\/\/gkehub\./.exec(audienceOfConfiguration(configuration))?.[1]

export type Fault = {
  readonly message: string
  readonly path: string
  readonly data: { readonly [name: string]: string | number }
}

const universeOf = (body: JsonObject): string => textAt(body, 'universe_domain') ?? 'googleapis.com'

function faultOfAudience(body: JsonObject): Fault | undefined {
  const audience = textAt(body, 'audience') ?? ''
  const fault = (message: string, data: Fault['data'] = {}): Fault => ({
    message,
    path: 'audience',
    data: { audience, ...data },
  })
  if (audience.trim() === '' || /\$\{?\w+|\{\{|<[^>]+>|%\w+%/.test(audience)) return fault('audience-not-filled-in')
  const [, host = ''] = /^\/\/([^/]+)\//.exec(audience) ?? []
  const expected = `iam.${universeOf(body)}`
  if (host !== '' && /^iam\./.test(host) && host !== 'iam.googleapis.com')
    return fault('audience-of-another-universe', { observed: host, expected: 'iam.googleapis.com' })
  if (host === 'iam.googleapis.com' && expected !== 'iam.googleapis.com') return undefined
  const [, project, pool, rest = ''] =
    /\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)(\/.*)?$/.exec(audience) ?? []
  if (project === undefined || pool === undefined) return undefined
  if (pool.includes('.svc.id.goog')) return fault('audience-names-a-gke-pool', { pool })
  const selector = /^\/((?:subject|attribute\.[^/]+|group|namespace|kubernetes\.[a-z.]+)(?:\/.*)?|\*)$/.exec(rest)?.[1]
  if (selector !== undefined) return fault('audience-names-an-attribute', { selector })
  if (/^\/?$/.test(rest) || rest === '/providers' || rest === '/providers/')
    return {
      message: 'audience-names-a-pool',
      path: 'audience',
      data: { audience: audience.replace(/\/(?:providers\/?)?$/, '') },
    }
  if (!/^\d+$/.test(project)) return fault('audience-has-project-id', { observed: project })
  return undefined
}

const hosts: readonly (readonly [string, RegExp, string])[] = [
  [
    'token_url',
    /^https:\/\/sts(?:\.[a-z0-9-]+\.rep)?\.(?:mtls\.)?googleapis\.com\//,
    'https://sts.googleapis.com/v1/token',
  ],
  [
    'token_info_url',
    /^https:\/\/sts(?:\.[a-z0-9-]+\.rep)?\.(?:mtls\.)?googleapis\.com\//,
    'https://sts.googleapis.com/v1/introspect',
  ],
]
const azureMetadata = /^https?:\/\/169\.254\.169\.254\/metadata\/identity/

/** The first thing that is wrong, in the order of the messages; `account` is named where the configuration does. */
export function faultOfConfiguration(one: Configuration): Fault | undefined {
  const { body, name } = one
  const universe = universeOf(body)
  const ofAudience = faultOfAudience(body)
  if (ofAudience !== undefined) return ofAudience
  const source = at(body, 'credential_source')
  const aws = textAt(source, 'environment_id') !== undefined
  const executable = at(source, 'executable') !== undefined
  const audience = textAt(body, 'audience') ?? ''
  if (universe === 'googleapis.com' && !fullProvider.test(audience))
    return { message: 'audience-refused', path: 'audience', data: { audience } }
  if (!aws && !executable) {
    const type = textAt(body, 'subject_token_type') ?? ''
    if (!/^urn:ietf:params:oauth:token-type:(?:jwt|id_token)$/.test(type))
      return { message: 'subject-token-type-wrong', path: 'subject_token_type', data: { observed: type || 'not set' } }
    const present = ['file', 'url', 'certificate'].filter((member) => at(source, member) !== undefined)
    if (present.length !== 1)
      return {
        message: 'credential-source-ambiguous',
        path: 'credential_source',
        data: { present: present.join(' and ') || 'none of them' },
      }
    if (
      textAt(source, 'format', 'type') === 'json' &&
      textAt(source, 'format', 'subject_token_field_name') === undefined
    )
      return { message: 'json-field-missing', path: 'credential_source.format', data: { configuration: name } }
    const url = textAt(source, 'url')
    if (url !== undefined && azureMetadata.test(url))
      return { message: 'azure-instance-metadata', path: 'credential_source.url', data: { url } }
  }
  const impersonation = textAt(body, 'service_account_impersonation_url')
  if (impersonation !== undefined) {
    const host = /^https:\/\/([^/]+)\//.exec(impersonation)?.[1]
    const own = /^iamcredentials(?:\.[a-z0-9-]+\.rep)?\.(?:mtls\.)?/.test(host ?? '') && host?.endsWith(universe)
    if (host !== undefined && !own && !host.endsWith('googleapis.com'))
      return {
        message: 'foreign-endpoint',
        path: 'service_account_impersonation_url',
        data: {
          field: 'service_account_impersonation_url',
          observed: impersonation.slice(0, 200),
          expected: 'https://iamcredentials.googleapis.com/…',
        },
      }
    if (
      impersonation.length > 256 ||
      !/^https:\/\/iamcredentials\.[^/]+\/v1\/projects\/-\/serviceAccounts\/[^/:]+:generateAccessToken$/.test(
        impersonation,
      )
    )
      return {
        message: 'impersonation-url-wrong',
        path: 'service_account_impersonation_url',
        data: { observed: impersonation.slice(0, 300) },
      }
  }
  const seconds = at(body, 'service_account_impersonation', 'token_lifetime_seconds')
  if (typeof seconds === 'number' && seconds > 3600)
    return {
      message: 'lifetime-too-long',
      path: 'service_account_impersonation.token_lifetime_seconds',
      data: { seconds, account: impersonates(one) ?? 'the account' },
    }
  if (universe === 'googleapis.com')
    for (const [field, pattern, expected] of hosts) {
      const observed = textAt(body, field)
      if (observed !== undefined && !pattern.test(observed))
        return { message: 'foreign-endpoint', path: field, data: { field, observed: observed.slice(0, 200), expected } }
    }
  const url = textAt(source, 'url')
  if (
    url !== undefined &&
    !/^https?:\/\/(?:localhost|127\.0\.0\.1|169\.254\.\d+\.\d+|metadata\.google\.internal)(?::\d+)?\//.test(url)
  )
    return {
      message: 'foreign-endpoint',
      path: 'credential_source.url',
      data: {
        field: 'credential_source.url',
        observed: url.slice(0, 200),
        expected: 'an address of the pod or its node',
      },
    }
  return undefined
}
