/** STS over the query protocol: verifies a web identity token as AWS does, in the order that its answers imply. */
import { type JsonObject, textAt, textsAt } from '../core/json.ts'
import { evaluateTrustPolicy } from '../domain/aws-trust-policy.ts'
import { readToken } from '../domain/token-claims.ts'
import { type Account, type Accounts, arnParts, type Role, roleNameOf } from './aws-accounts.ts'
import { AwsError, type Call, cannotTell, type Form, members, queryService } from './aws-query.ts'
import { newSession, type Sessions } from './aws-sessions.ts'
import type { Handler } from './listener.ts'
import { verifiesByPublishedKeys, type World } from './published-keys.ts'

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const roleArn = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/
const nameIs = '[\\w+=,.@-]*'

const invalid = (message: string): AwsError => new AwsError(400, 'ValidationError', message)
const constraint = (value: string, member: string, rule: string): AwsError =>
  invalid(
    `1 validation error detected: Value ${value} at '${member}' failed to satisfy constraint: Member must ${rule}`,
  )
const badToken = (message: string): AwsError => new AwsError(400, 'InvalidIdentityToken', message)
const notJwt = () =>
  badToken('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)')
// Two spaces, as AWS writes it.
const noKey = () =>
  badToken(
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  )
const notAuthorized = () => new AwsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')

/** `world` is where the issuer's documents are fetched from; `now` the time in milliseconds. */
export function stsService(
  accounts: Accounts,
  world: World,
  region: string,
  sessions: Sessions,
  now: () => number = Date.now,
): Handler {
  const { caller } = accounts
  return queryService({
    namespace,
    unsigned: new Set(['AssumeRoleWithWebIdentity']),
    calls: {
      GetCallerIdentity: (_form, accessKey = '') => {
        const { Arn, UserId, Account } = sessions.get(accessKey) ?? caller
        return { Arn, UserId, Account }
      },
      AssumeRoleWithWebIdentity: webIdentity(accounts, world, region, sessions, now),
    },
  })
}

const webIdentity = (accounts: Accounts, world: World, region: string, sessions: Sessions, now: () => number): Call => {
  return async (form) => {
    const order = orderIn(form)
    const claims = claimsIn(order.token)
    const account = accounts.all.get(order.account)
    const provider = providerOf(account, claims.issuer, order)
    if (!(await verifiesByPublishedKeys(order.token, claims.issuer, world))) throw noKey()
    if (provider.clientIds === undefined) throw cannotTell(`the audiences of ${provider.arn}`)
    const audience = audienceOf(claims)
    if (!provider.clientIds.includes(audience)) throw badToken('Incorrect token audience')
    const seconds = Math.floor(now() / 1000)
    if (seconds >= claims.expires)
      throw new AwsError(
        400,
        'ExpiredTokenException',
        `Token expired: current date/time ${seconds} must be before the expiration date/time ${claims.expires}`,
      )
    const role = roleOf(account, order.roleArn)
    const { decision, dependsOn } = evaluateTrustPolicy(role.policy, {
      issuer: claims.issuer,
      sub: claims.subject,
      aud: audience,
      accountId: order.account,
      partition: order.partition,
      now: new Date(now()).toISOString(),
      region,
      sessionName: order.session,
      secureTransport: true,
      sourceIp: '127.0.0.1',
      ...(claims.amr === undefined ? {} : { amr: claims.amr }),
    })
    if (decision === 'depends') throw cannotTell(`what the trust policy depends on (${dependsOn.join(', ')})`)
    if (decision !== 'allow') throw notAuthorized()
    if (order.duration > role.maxSessionDuration)
      throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
    const { keys, Arn, UserId } = newSession(sessions, { ...order, role, seconds: order.duration, now: now() })
    return {
      SubjectFromWebIdentityToken: claims.subject,
      Audience: audience,
      AssumedRoleUser: { Arn, AssumedRoleId: UserId },
      Credentials: { ...keys },
      Provider: provider.arn,
    }
  }
}

type OrderForm = {
  readonly roleArn: string
  readonly account: string
  readonly partition: string
  readonly session: string
  readonly token: string
  readonly duration: number
}

/** Parameters come first: a token is not looked at before they are in order. */
function orderIn(form: Form): OrderForm {
  const required = (name: string, least: number, most: number): string => {
    const member = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
    const value = form.get(name)
    if (value === null) throw constraint('null', member, 'not be null')
    const shown = name === 'WebIdentityToken' ? "'***'" : `'${value}'`
    if (value.length < least) throw constraint(shown, member, `have length greater than or equal to ${least}`)
    if (value.length > most) throw constraint(shown, member, `have length less than or equal to ${most}`)
    return value
  }
  const arn = required('RoleArn', 20, 2048)
  const session = required('RoleSessionName', 2, 64)
  const token = required('WebIdentityToken', 4, 20_000)
  if (!/^[\w+=,.@-]*$/.test(session))
    throw constraint(`'${session}'`, 'roleSessionName', `satisfy regular expression pattern: ${nameIs}`)
  const duration = Number(form.get('DurationSeconds') ?? 3600)
  if (!Number.isInteger(duration) || duration < 900)
    throw constraint(`'${duration}'`, 'durationSeconds', 'have value greater than or equal to 900')
  if (duration > 43_200) throw constraint(`'${duration}'`, 'durationSeconds', 'have value less than or equal to 43200')
  const parts = arnParts(arn)
  if (!roleArn.test(arn) || parts === undefined) throw invalid('Request ARN is invalid')
  if (form.get('ProviderId') !== null) throw invalid('ProviderId is only for OAuth 2.0 access tokens')
  if (members(form, 'PolicyArns').length > 10)
    throw constraint('of policyArns', 'policyArns', 'have length less than or equal to 10')
  return { roleArn: arn, account: parts.account, partition: parts.partition, session, token, duration }
}

type Claims = {
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
  readonly authorizedParty?: string
  readonly expires: number
  readonly amr?: readonly string[]
}

const algorithm = /^(RS|ES)(256|384|512)$/

function claimsIn(token: string): Claims {
  const reading = readToken(token)
  if (reading.state !== 'read' || !algorithm.test(textAt(reading.header, 'alg') ?? '')) throw notJwt()
  const { claims } = reading
  const text = (name: string): string => {
    const value = textAt(claims, name)
    if (value === undefined || value === '') throw badToken(`Missing a required claim: ${name}`)
    return value
  }
  const issuer = text('iss')
  const subject = text('sub')
  const audiences = textsAt(claims, 'aud')
  if (audiences.length === 0) throw badToken('Missing a required claim: aud')
  const expires = claims.exp
  if (typeof expires !== 'number') throw badToken('Missing a required claim: exp')
  const authorizedParty = textAt(claims, 'azp')
  const amr = amrIn(claims)
  return {
    issuer,
    subject,
    audiences,
    expires,
    ...(authorizedParty === undefined ? {} : { authorizedParty }),
    ...(amr === undefined ? {} : { amr }),
  }
}

const amrIn = (claims: JsonObject): readonly string[] | undefined =>
  claims.amr === undefined ? undefined : textsAt(claims, 'amr')

function audienceOf({ authorizedParty, audiences }: Claims): string {
  if (authorizedParty !== undefined) return authorizedParty
  const [only, ...others] = audiences
  if (only === undefined || others.length > 0)
    throw badToken('Token audience contains more than one audience while authorized party is not present')
  return only
}

/** The provider of the role's account: one of another account is never consulted. */
function providerOf(account: Account | undefined, issuer: string, order: OrderForm) {
  const bare = issuer.replace(/^https:\/\//, '')
  const arn = `arn:${order.partition}:iam::${order.account}:oidc-provider/${bare}`
  const found = account?.providers.get(arn)
  if (found !== undefined && issuer.startsWith('https://')) return found
  if (account?.providersComplete !== true) throw cannotTell(`whether ${arn} exists`)
  throw badToken(`No OpenIDConnect provider found in your account for ${issuer}`)
}

/** A role that does not exist is refused in the words of one that does not trust. */
function roleOf(account: Account | undefined, arn: string): Role {
  const role = account?.roles.get(roleNameOf(arn) ?? '')
  if (role?.arn === arn) return role
  if (role === undefined && account?.rolesComplete !== true) throw cannotTell(`the role ${arn}`)
  throw notAuthorized()
}
