/** Entra's metadata and token endpoint: verifies an assertion through the issuer's published keys and the credentials of the case, in the order that its codes suggest. */
import { randomBytes, randomUUID } from 'node:crypto'
import { type JsonObject, textAt, textsAt } from '../core/json.ts'
import { takesSubject } from '../domain/azure-credentials.ts'
import { readToken } from '../domain/token-claims.ts'
import type { AzureWorld, HeldCredential } from './azure-world.ts'
import type { Handler, Reply, Request } from './listener.ts'
import { fetchObject, verifiesByPublishedKeys, type World } from './published-keys.ts'

/** What the person in front of the lab is signed in with. */
export type LabLogin = { readonly clientId: string; readonly secret: string; readonly tokens: Set<string> }

export const json = (status: number, body: object, headers: { readonly [name: string]: string } = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
})

/** One shape for all codes: https://github.com/Azure/azure-workload-identity/issues/1350 */
function refusal(status: number, error: string, code: number, text: string): Reply {
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`
  const [trace, correlation] = [randomUUID(), randomUUID()]
  return json(status, {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  })
}
/** Says nothing about the world: the case leaves it open. */
const cannotTell = (what: string): Reply =>
  json(501, { error: 'lab_cannot_tell', error_description: `The case does not say ${what}.` })

const longest = 25 * 3600
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const check =
  'Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation'
const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()

export function entra(azure: AzureWorld, login: LabLogin, world: World, now: () => number = Date.now): Handler {
  const issue = (appId: string, audience: string, seconds: number): Reply => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const at = Math.floor(now() / 1000)
    const claims = {
      aud: audience,
      iss: `https://sts.windows.net/${azure.tenantId}/`,
      tid: azure.tenantId,
      appid: appId,
    }
    const head = part({ typ: 'JWT', alg: 'RS256', kid: 'lab' })
    const token = `${head}.${part({ ...claims, iat: at, exp: at + seconds })}.${randomBytes(64).toString('base64url')}`
    if (appId === login.clientId) login.tokens.add(token)
    return json(200, { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token })
  }

  const exchange = async (form: URLSearchParams, tenant: string, clientId: string): Promise<Reply> => {
    const assertion = form.get('client_assertion') ?? ''
    if (!azure.tenants.has(tenant.toLowerCase()))
      return refusal(
        400,
        'invalid_request',
        90002,
        `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
      )
    const reading = readToken(assertion)
    if (form.get('client_assertion_type') !== assertionType || reading.state !== 'read')
      return refusal(400, 'invalid_request', 50027, 'JWT token is invalid or malformed.')
    const principal = azure.principals.find((one) => same(textAt(one, 'appId'), clientId))
    const lives = (one: JsonObject): boolean => same(textAt(one, 'tenantId') ?? azure.tenantId, tenant)
    const identity = azure.identities.find((one) => same(textAt(one, 'clientId'), clientId) && lives(one))
    const application = azure.applications.find((one) => same(textAt(one, 'appId'), clientId))
    if (principal === undefined && identity === undefined && application === undefined) {
      if (!azure.isTold) return cannotTell(`whether ${clientId} exists`)
      return refusal(
        400,
        'unauthorized_client',
        700016,
        `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
      )
    }
    if (principal?.accountEnabled === false)
      return refusal(400, 'unauthorized_client', 7000112, `Application '${clientId}' is disabled.`)
    const held = azure.credentials.get((textAt(identity ?? null, 'id') ?? clientId).toLowerCase()) ?? []
    const mismatch = comparison(held, reading.claims)
    if (mismatch !== undefined) return mismatch
    const issuer = textAt(reading.claims, 'iss') ?? ''
    const published = await fetchObject(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, world)
    if (published === undefined)
      return refusal(400, 'invalid_request', 90061, 'Request to External OIDC endpoint failed.')
    if (!(await verifiesByPublishedKeys(assertion, issuer, world)))
      return refusal(
        401,
        'invalid_client',
        7000272,
        `The certificate with identifier ${textAt(reading.header, 'kid') ?? ''} used to sign the federated credential could not be found in the metadata of identity provider ${issuer}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.`,
      )
    const late = outOfTime(reading.claims, now())
    if (late !== undefined) return late
    const scope = form.get('scope') ?? ''
    const resource = scope.split(/\s+/).find((one) => one.endsWith('/.default'))
    if (resource === undefined)
      return refusal(
        400,
        'invalid_scope',
        1002012,
        `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
      )
    return issue(clientId, resource.replace(/\/\.default$/, ''), identity === undefined ? 3599 : 86_399)
  }

  return async ({ method, path, body }: Request): Promise<Reply> => {
    const [tenant = '', ...rest] = decodeURIComponent(path).split('/').slice(1)
    const what = rest.join('/')
    if (method === 'GET' && what === 'v2.0/.well-known/openid-configuration') {
      if (tenant !== 'common' && !azure.tenants.has(tenant.toLowerCase()))
        return refusal(400, 'invalid_tenant', 90002, `Tenant '${tenant}' not found.`)
      const base = `https://login.microsoftonline.com/${tenant}`
      return json(200, {
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
      })
    }
    if (method === 'GET' && path === '/common/discovery/instance')
      return json(200, {
        tenant_discovery_endpoint: `https://login.microsoftonline.com/${azure.tenantId}/v2.0/.well-known/openid-configuration`,
        'api-version': '1.1',
        metadata: [
          {
            preferred_network: 'login.microsoftonline.com',
            preferred_cache: 'login.windows.net',
            aliases: ['login.microsoftonline.com', 'login.windows.net'],
          },
        ],
      })
    if (method !== 'POST' || what !== 'oauth2/v2.0/token') return { status: 400, body: '' }
    const form = new URLSearchParams(body)
    const clientId = form.get('client_id') ?? ''
    if (form.get('grant_type') !== 'client_credentials')
      return refusal(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.')
    if (clientId === login.clientId)
      return form.get('client_secret') === login.secret
        ? issue(clientId, (form.get('scope') ?? '').replace(/\/\.default.*$/, ''), 3599)
        : refusal(401, 'invalid_client', 7000215, 'Invalid client secret provided.')
    return exchange(form, tenant, clientId)
  }
}

/** Issuer, then subject, then audience, each byte for byte; undefined where one credential takes all three. */
function comparison(held: readonly HeldCredential[], claims: JsonObject): Reply | undefined {
  const none = (code: number, what: string, value: string, more = check): Reply =>
    refusal(
      401,
      'invalid_client',
      code,
      `No matching federated identity record found for presented assertion ${what} '${value}'. ${more}`,
    )
  const issuer = textAt(claims, 'iss') ?? ''
  const subject = textAt(claims, 'sub') ?? ''
  const [audience = ''] = textsAt(claims, 'aud')
  const byIssuer = held.filter((one) => one.issuer === issuer)
  if (byIssuer.length === 0) return none(700211, 'issuer', issuer)
  const bySubject = byIssuer.filter((one) => takesSubject(one, { iss: issuer, sub: subject, aud: audience }) === true)
  if (bySubject.length === 0)
    return byIssuer.some((one) => same(one.subject, subject))
      ? none(
          7002138,
          'subject',
          subject,
          `The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${check}`,
        )
      : none(700213, 'subject', subject)
  return bySubject.some((one) => one.audiences[0] === audience) ? undefined : none(700212, 'audience', audience)
}

function outOfTime({ iat, nbf, exp }: JsonObject, now: number): Reply | undefined {
  const from = typeof nbf === 'number' ? nbf : typeof iat === 'number' ? iat : 0
  const until = typeof exp === 'number' ? exp : 0
  const shown = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('Z', '0000Z')
  if (until - (typeof iat === 'number' ? iat : 0) > longest)
    return refusal(
      400,
      'invalid_request',
      70023,
      `External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token issued at ${typeof iat === 'number' ? iat : 0}. Token expires on ${until}.`,
    )
  const seconds = Math.floor(now / 1000)
  // Five minutes either way, as clocks differ.
  return seconds < from - 300 || seconds >= until + 300
    ? refusal(
        401,
        'invalid_client',
        700024,
        `Client assertion is not within its valid time range. Current time: ${shown(seconds)}, assertion valid from ${shown(from)}, expiry time of assertion ${shown(until)}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`,
      )
    : undefined
}
