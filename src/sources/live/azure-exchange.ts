/** The proof of the Azure path: a minted token exchanged at Entra by @azure/identity; Entra's own code and text are kept, the access token is not. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { cloudOfAuthority } from '../../domain/azure-clouds.ts'
import type { TokenName } from '../../domain/questions.ts'
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

/** Codes that pass by themselves: https://github.com/Azure/azure-workload-identity/issues/1232 */
const passing = /^(?:90061|50166|501661)$/
const tries = 3

/** → `{outcome: 'exchanged' | 'refused', …}`; absent where the ServiceAccount does not exist. */
export async function exchangeAtEntra(
  { rest, vault, mint }: AzureExchanger,
  question: Question,
  signal?: AbortSignal,
): Promise<Fact<Json>> {
  const text = (name: string): string => textAt(question.input, name) ?? ''
  const token: TokenName = { namespace: text('namespace'), name: text('name'), audience: text('audience') }
  const [clientId, tenant, authorityHost] = [text('clientId'), text('tenant'), text('authority')]
  const minted = await mint(token, signal)
  if (minted.state === 'absent') return absent(question)
  if (minted.state === 'unknown') return { ...minted, from: question }
  if (!/^https:\/\/[a-z0-9.-]+(?::\d+)?\/?$/i.test(authorityHost) || !/^[a-z0-9.-]{1,200}$/i.test(tenant))
    return unknown('not-asked', 'the authority or the tenant has not the form of one', question)
  const { ClientAssertionCredential } = await import('@azure/identity')
  const scope = armScope(cloudOfAuthority(authorityHost) ?? rest.cloud)
  for (let round = 1; ; round += 1) {
    let heard: Reply | NoReply | undefined
    const hear = (reply: Reply | NoReply): void => {
      heard = reply
    }
    const credential = new ClientAssertionCredential(
      tenant,
      clientId,
      async () => {
        const raw = vault.lend(token, (one) => one)
        if (raw === undefined) throw new Error('the token is no longer held')
        return raw
      },
      {
        authorityHost,
        httpClient: rest.client(hear),
        retryOptions: { maxRetries: 0 },
        disableInstanceDiscovery: true,
      },
    )
    try {
      await credential.getToken(scope, signal === undefined ? {} : { abortSignal: signal })
      return known({ outcome: 'exchanged' }, question)
    } catch {
      // What the library makes of an answer leaves the status out; the answer itself was heard.
    }
    if (signal?.aborted === true) return unknown('cancelled', 'the run was stopped before Entra answered', question)
    if (heard === undefined)
      return unknown('malformed', 'what answered in the place of Entra was not understood', question)
    if ('trouble' in heard)
      return unknown(
        heard.trouble === 'timeout' ? 'timeout' : 'unreachable',
        `Entra could not be reached: ${vault.without(heard.detail)}`,
        question,
        `a way to ${plain(authorityHost)} (network, proxy)`,
      )
    const refused = refusalOf(heard, vault)
    const isPassing = heard.status === 429 || heard.status >= 500 || passing.test(refused.code ?? '')
    if (isPassing && round < tries) {
      await pause(Math.min(5000, retryAfterMs(heard.headers) ?? 400 * 2 ** round), signal)
      continue
    }
    if (heard.status >= 500)
      return unknown('unreachable', `Entra answered ${heard.status}`, question, 'ask again later')
    return known({ outcome: 'refused', status: heard.status, ...refused }, question)
  }
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
