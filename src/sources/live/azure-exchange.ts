/** The proof of the Azure path: a minted token exchanged at Entra by @azure/identity, and by a raw request where that has none; of the access token only whose it is is told. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, type JsonObject, textAt } from '../../core/json.ts'
import { cloudOfAuthority } from '../../domain/azure-clouds.ts'
import { unreadIssuer } from '../../domain/azure-errors.ts'
import type { TokenName } from '../../domain/questions.ts'
import { readToken } from '../../domain/token-claims.ts'
import { jsonOf } from './azure-answers.ts'
import { type AzureRest, armScope } from './azure-rest.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'
import { type NoReply, pause, type Reply, retryAfterMs } from './wire.ts'

export type AzureExchanger = {
  readonly rest: AzureRest
  readonly vault: TokenVault
  readonly mint: (token: TokenName, signal?: AbortSignal) => Promise<Fact<Json>>
}
type Order = {
  readonly token: TokenName
  readonly clientId: string
  readonly tenant: string
  readonly authority: string
}

const tries = 3

/** → `{outcome: 'exchanged' | 'refused', …}`; absent where the ServiceAccount does not exist. */
export async function exchangeAtEntra(
  exchanger: AzureExchanger,
  question: Question,
  signal?: AbortSignal,
): Promise<Fact<Json>> {
  const text = (name: string): string => textAt(question.input, name) ?? ''
  const token: TokenName = { namespace: text('namespace'), name: text('name'), audience: text('audience') }
  const order: Order = { token, clientId: text('clientId'), tenant: text('tenant'), authority: text('authority') }
  const minted = await exchanger.mint(token, signal)
  if (minted.state === 'absent') return absent(question)
  if (minted.state === 'unknown') return { ...minted, from: question }
  if (
    !/^https:\/\/[a-z0-9.-]+(?::\d+)?\/?$/i.test(order.authority) ||
    !/^[a-z0-9.-]{1,200}$/i.test(order.tenant) ||
    order.clientId === ''
  )
    return unknown('not-asked', 'the authority, the tenant or the client id has not the form of one', question)
  for (let round = 1; ; round += 1) {
    const own = await byLibrary(exchanger, order, signal)
    if ('access' in own) return known({ outcome: 'exchanged', ...whose(own.access) }, question)
    if (signal?.aborted === true) return unknown('cancelled', 'the run was stopped before Entra answered', question)
    // What the library makes of an answer leaves out its status and most of its words.
    const heard = await byRequest(exchanger, order, signal)
    if (heard === undefined) return unknown('not-asked', 'the token is no longer held', question)
    if ('trouble' in heard)
      return unknown(
        heard.trouble === 'timeout' || heard.trouble === 'cancelled' ? heard.trouble : 'unreachable',
        `Entra could not be reached: ${exchanger.vault.without(heard.detail)}`,
        question,
        `a way to ${plain(order.authority)} (network, proxy)`,
      )
    const access = heard.status === 200 ? textAt(jsonOf(heard) ?? null, 'access_token') : undefined
    const refused = refusalOf(heard, exchanger.vault)
    // A code that passes by itself, an authority that is busy, or one that has just taken up what it did not know: asked again.
    const isPassing =
      access !== undefined || heard.status === 429 || heard.status >= 500 || unreadIssuer.has(refused.code ?? '')
    if (isPassing && round < tries) {
      await pause(Math.min(5000, retryAfterMs(heard.headers) ?? 400 * 2 ** round), signal)
      continue
    }
    if (access !== undefined)
      return known({ outcome: 'exchanged', ...whose(access), library: exchanger.vault.without(own.why) }, question)
    if (heard.status === 200)
      return unknown('malformed', 'what answered in the place of Entra was not understood', question)
    if (heard.status >= 500)
      return unknown('unreachable', `Entra answered ${heard.status}`, question, 'ask again later')
    return known({ outcome: 'refused', status: heard.status, ...refused }, question)
  }
}

const scopeOf = ({ rest }: AzureExchanger, { authority }: Order): string =>
  armScope(cloudOfAuthority(authority) ?? rest.cloud)

/** As the application's own SDK would. */
async function byLibrary(
  exchanger: AzureExchanger,
  order: Order,
  signal: AbortSignal | undefined,
): Promise<{ readonly access: string } | { readonly why: string }> {
  const { ClientAssertionCredential } = await import('@azure/identity')
  const assertion = async (): Promise<string> => {
    const raw = exchanger.vault.lend(order.token, (one) => one)
    if (raw === undefined) throw new Error('the token is no longer held')
    return raw
  }
  const credential = new ClientAssertionCredential(order.tenant, order.clientId, assertion, {
    authorityHost: order.authority,
    httpClient: exchanger.rest.client(),
    retryOptions: { maxRetries: 0 },
    disableInstanceDiscovery: true,
  })
  const how = signal === undefined ? {} : { abortSignal: signal }
  return credential.getToken(scopeOf(exchanger, order), how).then(
    ({ token }) => ({ access: token }),
    (error: unknown) => ({ why: plain(error instanceof Error ? error.message : 'no token').slice(0, 300) }),
  )
}

/** The same question without a library; undefined where the token is gone. */
const byRequest = (
  exchanger: AzureExchanger,
  order: Order,
  signal: AbortSignal | undefined,
): Promise<Reply | NoReply> | undefined =>
  exchanger.vault.lend(order.token, (raw) =>
    exchanger.rest.anonymous(
      new URL(`${order.authority.replace(/\/+$/, '')}/${order.tenant}/oauth2/v2.0/token`),
      signal,
      new URLSearchParams({
        client_id: order.clientId,
        scope: scopeOf(exchanger, order),
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: raw,
      }),
    ),
  )

/** Who Entra says that this is. */
function whose(access: string): JsonObject {
  const read = readToken(access)
  const claims = read.state === 'read' ? read.claims : {}
  const told = {
    clientId: textAt(claims, 'appid') ?? textAt(claims, 'azp'),
    objectId: textAt(claims, 'oid'),
    tenantId: textAt(claims, 'tid'),
  }
  return Object.fromEntries(Object.entries(told).flatMap(([name, value]) => (value ? [[name, plain(value)]] : [])))
}

/** Code and text; the trace ids behind them are of this one request, and would make every run another one. */
function refusalOf(
  reply: Reply,
  vault: TokenVault,
): { code?: string; error?: string; text: string; retryAfter?: string } {
  const json = jsonOf(reply) ?? null
  const described = textAt(json, 'error_description') ?? ''
  const error = textAt(json, 'error')
  const code = /AADSTS(\d{5,8})/.exec(described)?.[1]
  const text = plain(vault.without(described.replace(/\s*Trace ID:.*$/s, '')))
  const wait = retryAfterMs(reply.headers)
  return {
    text: text === '' ? `HTTP ${reply.status}` : text,
    ...(code === undefined ? {} : { code }),
    ...(error === undefined ? {} : { error: plain(error) }),
    ...(wait === undefined ? {} : { retryAfter: String(Math.ceil(wait / 1000)) }),
  }
}
