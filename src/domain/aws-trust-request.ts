/** The keys of a call of sts:AssumeRoleWithWebIdentity: which are there, which never are, which were not seen. */

import { hostPathOf, isEksIssuer, isPossibleIssuer, partitionOf } from './aws-trust-provider.ts'
import type { TrustContext, Truth } from './aws-trust-types.ts'
import { instant } from './aws-trust-values.ts'

export type Given = { readonly values: readonly string[]; readonly many: boolean }

export type Request = {
  /** Issuer without https://; undefined if not seen. */
  readonly issuer: string | undefined
  readonly accountId: string | undefined
  /** The partition if this is the issuer; undefined if not seen. */
  readonly partitionFor: (hostPath: string | undefined) => string | undefined
  readonly sub: string | undefined
  readonly aud: readonly string[] | undefined
  readonly amr: readonly string[] | undefined
  /** By lower-case name. */
  readonly given: ReadonlyMap<string, Given>
  readonly unseen: ReadonlySet<string>
  readonly unseenPrefixes: readonly string[]
  /** Whether the token carries session tags, so that sts:TagSession is asked for too. */
  readonly tagged: Truth
  /** The service that calls; undefined for a web identity. */
  readonly service: string | undefined
}

/** One way a key may be in the request. */
export type Possibility =
  | { readonly state: 'absent' }
  | { readonly state: 'values'; readonly values: readonly string[]; readonly many: boolean }
  | { readonly state: 'any'; readonly many: boolean }

export type Looked = {
  /** At least one; the key is in exactly one of these ways. */
  readonly ways: readonly Possibility[]
  readonly why: string
  /** Names of the facts that would decide between them. */
  readonly needs: readonly string[]
  readonly origin: 'token' | 'never' | 'call'
}

const MEMBER_OF_KEY: Readonly<Record<string, string>> = {
  'aws:currenttime': 'now',
  'aws:epochtime': 'now',
  'aws:sourceip': 'sourceip',
  'aws:sourcevpce': 'sourcevpce',
  'aws:securetransport': 'securetransport',
  'aws:requestedregion': 'region',
  'sts:rolesessionname': 'sessionname',
}

/** There is no principal yet, and no parameter for them; https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
const NEVER_PRESENT: ReadonlySet<string> = new Set([
  'aws:principalarn',
  'aws:principalorgid',
  'aws:principalaccount',
  'aws:userid',
  'aws:username',
  'aws:tokenissuetime',
  'sts:externalid',
  'aws:multifactorauthpresent',
  'aws:multifactorauthage',
])

/** Takes a context apart once; what is listed as unknown is left out even if it is given. */
export function toRequest(context: TrustContext): Request {
  const names = (context.unknown ?? []).map((name) => name.toLowerCase())
  const unseen = new Set(names.filter((name) => !name.endsWith('*')))
  const seen = <T>(name: string, value: T | undefined): T | undefined => (unseen.has(name) ? undefined : value)
  const given = new Map<string, Given>()
  const give = (key: string, value: string | readonly string[] | undefined): void => {
    const lower = key.toLowerCase()
    if (value === undefined || isUnseen(lower, unseen)) return
    given.set(lower, typeof value === 'string' ? { values: [value], many: false } : { values: value, many: true })
  }
  give('aws:CurrentTime', context.now)
  give('aws:EpochTime', epochSeconds(context.now))
  give('aws:SourceIp', context.sourceIp)
  give('aws:SourceVpce', context.sourceVpce)
  give('aws:SecureTransport', context.secureTransport?.toString())
  give('aws:RequestedRegion', context.region)
  give('sts:RoleSessionName', context.sessionName)
  for (const [key, value] of Object.entries(context.keys ?? {})) give(key, value)
  const issuer = seen('issuer', context.issuer)
  const hostPath = issuer === undefined ? undefined : hostPathOf(issuer)
  const partitionFor = (meant: string | undefined): string | undefined => {
    if (unseen.has('partition')) return undefined
    if (context.partition !== undefined) return context.partition
    const told = meant !== undefined && isEksIssuer(meant)
    return !told && unseen.has('region') ? undefined : partitionOf(meant, context.region)
  }
  return {
    issuer: hostPath,
    accountId: seen('accountid', context.accountId),
    partitionFor,
    sub: seen('sub', context.sub),
    aud: seen('aud', typeof context.aud === 'string' ? [context.aud] : context.aud),
    amr: seen('amr', context.amr),
    given,
    unseen,
    unseenPrefixes: names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1)),
    tagged: [...given.keys()].some(isTagKey) ? true : [...unseen].some(isTagKey) ? 'depends' : false,
    service: context.service,
  }
}

function epochSeconds(now: string | undefined): string | undefined {
  const moment = now === undefined ? undefined : instant(now)
  return moment === undefined ? now : String(moment / 1_000_000_000n)
}

function isUnseen(lower: string, unseen: ReadonlySet<string>): boolean {
  const name = Object.hasOwn(MEMBER_OF_KEY, lower) ? MEMBER_OF_KEY[lower] : undefined
  return unseen.has(lower) || (name !== undefined && unseen.has(name))
}

function isTagKey(lower: string): boolean {
  return lower.startsWith('aws:requesttag/') || lower === 'aws:tagkeys'
}

export type KeyParts = { readonly prefix: string; readonly claim: string | undefined; readonly arnPrefix: boolean }

/** A condition key taken apart at its last colon; a provider ARN in front is set aside. */
export function keyParts(key: string): KeyParts {
  const arn = /^arn:[^:]*:iam::[^:]*:oidc-provider\//i.exec(key)
  const rest = arn === null ? key : key.slice(arn[0].length)
  const colon = rest.lastIndexOf(':')
  const claim = colon < 0 || rest.startsWith('//', colon + 1) ? undefined : rest.slice(colon + 1)
  return { prefix: claim === undefined ? rest : rest.slice(0, colon), claim, arnPrefix: arn !== null }
}

/**
 * How a condition key is in the request. Keys are compared without regard to case. With the issuer unknown, `own` are the
 * issuers that the statement's principal leaves possible; without any, every issuer is.
 */
export function lookUp(request: Request, key: string, own: readonly string[]): Looked {
  const lower = key.toLowerCase()
  if (isUnseen(lower, request.unseen)) {
    const many = lower.endsWith(':amr') || lower === 'aws:tagkeys'
    return { ways: [{ state: 'absent' }, { state: 'any', many }], why: 'not seen', needs: [key], origin: 'call' }
  }
  const given = request.given.get(lower)
  if (given !== undefined) return { ways: [{ state: 'values', ...given }], why: 'given', needs: [], origin: 'call' }
  const { prefix, claim, arnPrefix } = keyParts(lower)
  if (request.service !== undefined) return ofService(request, key, arnPrefix || isIssuer(prefix, []))
  const issuers = request.issuer === undefined ? own : [request.issuer]
  if (isIssuer(prefix, issuers) || arnPrefix) {
    if (claim === undefined) return absent('it names no claim', 'token')
    if (arnPrefix) return absent('keys start at the issuer, not at the ARN', 'token')
    return ofIssuer(request, prefix, claim, issuers)
  }
  if (NEVER_PRESENT.has(lower) || lower.startsWith('aws:principaltag/')) {
    return absent('no web identity call has this key', 'never')
  }
  if (isTagKey(lower)) return absent('the token carries no session tags', 'call')
  return isUnseenByPrefix(request, lower)
    ? { ways: [{ state: 'absent' }, { state: 'any', many: false }], why: 'not seen', needs: [key], origin: 'call' }
    : absent('the call does not have it', 'call')
}

function ofService(request: Request, key: string, isClaim: boolean): Looked {
  if (isClaim) return absent('only a web identity call has it', 'token')
  if (isTagKey(key.toLowerCase())) return absent('the service sends no such tag', 'call')
  return isUnseenByPrefix(request, key.toLowerCase())
    ? { ways: [{ state: 'absent' }, { state: 'any', many: false }], why: 'not seen', needs: [key], origin: 'call' }
    : absent('the call does not have it', 'call')
}

function isIssuer(prefix: string, issuers: readonly string[]): boolean {
  return /[./]/.test(prefix) || issuers.some((issuer) => issuer.toLowerCase() === prefix)
}

function isUnseenByPrefix(request: Request, lower: string): boolean {
  return request.unseenPrefixes.some((prefix) => lower.startsWith(prefix))
}

function absent(why: string, origin: Looked['origin']): Looked {
  return { ways: [{ state: 'absent' }], why, needs: [], origin }
}

// Three cases for whose key it is: the issuer's, another's, or either, as the issuer turns out to be.
function ofIssuer(request: Request, prefix: string, claim: string, issuers: readonly string[]): Looked {
  const same = issuers.filter((issuer) => issuer.toLowerCase() === prefix).length
  const open = issuers.length === 0
  const mayBe = open ? isPossibleIssuer(prefix) : same > 0
  const mayNot = open || same < issuers.length
  if (!mayBe) return absent('it belongs to another issuer', 'token')
  const claimed = claimWays(request, prefix, claim)
  if (!mayNot) return claimed
  const why = `present only if the issuer is ${prefix}`
  return { ways: [...claimed.ways, { state: 'absent' }], why, needs: ['issuer', ...claimed.needs], origin: 'token' }
}

function claimWays(request: Request, prefix: string, claim: string): Looked {
  const found = (ways: readonly Possibility[], why: string, needs: readonly string[]): Looked => ({
    ways,
    why,
    needs,
    origin: 'token',
  })
  if (claim === 'sub') {
    return request.sub === undefined
      ? found([{ state: 'any', many: false }], 'the subject was not seen', ['sub'])
      : found([{ state: 'values', values: [request.sub], many: false }], 'sub of the token', [])
  }
  if (claim === 'aud') {
    const audiences = request.aud ?? []
    return audiences.length === 0
      ? found([{ state: 'any', many: false }], 'the audience was not seen', ['aud'])
      : found(
          audiences.map((value) => ({ state: 'values', values: [value], many: false })),
          'aud of the token',
          ['aud'],
        )
  }
  if (claim === 'amr') {
    if (request.unseen.has('amr'))
      return found([{ state: 'absent' }, { state: 'any', many: true }], 'amr was not seen', ['amr'])
    return request.amr === undefined
      ? absent('the token has no amr', 'token')
      : found([{ state: 'values', values: request.amr, many: true }], 'amr of the token', [])
  }
  if ((claim === 'oaud' || hasMoreClaims(prefix)) && isUnseenByPrefix(request, `${prefix}:${claim}`)) {
    return found([{ state: 'absent' }, { state: 'any', many: false }], 'not seen', [`${prefix}:${claim}`])
  }
  return absent('no claim of these tokens becomes this key', 'token')
}

/**
 * Issuers of which AWS turns more claims into keys than sub, aud and amr.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function hasMoreClaims(hostPath: string): boolean {
  return /^(?:token\.actions\.githubusercontent\.com|gitlab\.com|agent\.buildkite\.com|accounts\.google\.com|oidc\.circleci\.com\/|[a-z0-9-]+\.identity\.oraclecloud\.com)/i.test(
    hostPath,
  )
}
