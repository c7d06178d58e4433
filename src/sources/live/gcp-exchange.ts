/** The proof of a Google identity: a minted token exchanged at STS, then for the account; what the identity may do with a bucket is asked in its own name. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { isObject, type Json, textAt, textsAt } from '../../core/json.ts'
import { bucketPermissions, type TokenName } from '../../domain/questions.ts'
import { unseenBy } from './gcp-answers.ts'
import type { GoogleOrder, GoogleReply, GoogleRest } from './gcp-rest.ts'
import type { TokenVault } from './token-vault.ts'
import { pause } from './wire.ts'

export type GoogleExchanger = {
  readonly rest: GoogleRest
  readonly vault: TokenVault
  readonly mint: (token: TokenName, signal?: AbortSignal) => Promise<Fact<Json>>
}
export type GoogleProof = {
  readonly exchange: (question: Question, signal?: AbortSignal) => Promise<Fact<Json>>
  readonly bucketAccess: (question: Question, signal?: AbortSignal) => Promise<Fact<Json>>
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'
const tries = 3

type Went = { readonly fact: Fact<Json>; readonly bearer?: string }

export function googleProof({ rest, vault, mint }: GoogleExchanger): GoogleProof {
  /** By identity; access tokens stay in here. */
  const gone = new Map<string, Promise<Went>>()

  /** What passes by itself is asked again, a little later. */
  const patiently = async (
    bearer: string | undefined,
    order: GoogleOrder,
    signal?: AbortSignal,
  ): Promise<GoogleReply> => {
    for (let round = 1; ; round += 1) {
      const reply = await rest.sendAs(bearer, order, signal)
      const passes = reply.state === 'refusal' && (reply.status === 429 || reply.status >= 500)
      if (!passes || round === tries || signal?.aborted === true) return reply
      await pause(400 * 2 ** round, signal)
    }
  }

  const refused = (reply: Exclude<GoogleReply, { state: 'answer' }>, step: string, question: Question): Fact<Json> => {
    if (reply.state !== 'refusal' || reply.status >= 500) {
      const seen = unseenBy(reply, question)
      return seen.state === 'unknown' ? { ...seen, detail: vault.without(seen.detail) } : seen
    }
    // As Google's libraries word it.
    const said = step === 'exchange' ? `Error code ${reply.reason}: ${reply.message}` : reply.message
    const { status, reason: code } = reply
    return known({ outcome: 'refused', step, status, code: vault.without(code), text: vault.without(said) }, question)
  }

  /** The account is impersonated with what the identity itself has got, which is exchanged for once. */
  async function impersonate(question: Question, signal?: AbortSignal): Promise<Went> {
    const { account, ...own } = question.input
    const federated = await went({ ...question, input: own }, signal)
    if (federated.bearer === undefined) return federated
    const impersonated = await patiently(
      federated.bearer,
      {
        service: 'iamcredentials',
        method: 'POST',
        path: `/v1/projects/-/serviceAccounts/${encodeURIComponent(String(account))}:generateAccessToken`,
        body: { scope: [scope], lifetime: '600s' },
      },
      signal,
    )
    if (impersonated.state !== 'answer') return { fact: refused(impersonated, 'impersonation', question) }
    const bearer = textAt(impersonated.value, 'accessToken')
    const told = federated.fact.state === 'known' && isObject(federated.fact.value) ? federated.fact.value : {}
    return bearer === undefined
      ? { fact: unknown('malformed', 'the answer of IAM Credentials holds no token', question) }
      : { fact: known({ ...told, account: String(account) }, question), bearer }
  }

  async function federate(question: Question, signal?: AbortSignal): Promise<Went> {
    const text = (name: string): string => textAt(question.input, name) ?? ''
    const token: TokenName = { namespace: text('namespace'), name: text('name'), audience: text('audience') }
    const minted = await mint(token, signal)
    if (minted.state === 'absent') return { fact: absent(question) }
    if (minted.state === 'unknown') return { fact: { ...minted, from: question } }
    const going = vault.lend(token, (raw) =>
      patiently(
        undefined,
        {
          service: 'sts',
          path: '/v1/token',
          form: {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            audience: text('provider'),
            scope,
            requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            subject_token: raw,
            subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          },
        },
        signal,
      ),
    )
    if (going === undefined) return { fact: unknown('cancelled', 'the token is no longer held', question) }
    const exchanged = await going
    if (exchanged.state !== 'answer') return { fact: refused(exchanged, 'exchange', question) }
    const federated = textAt(exchanged.value, 'access_token')
    if (federated === undefined) return { fact: unknown('malformed', 'the answer of STS holds no token', question) }
    const principal = await whoIs(federated, signal)
    const told = { outcome: 'exchanged', ...(principal === undefined ? {} : { principal }) }
    return { fact: known(told, question), bearer: federated }
  }

  /** Nobody depends on it: where STS does not say it, the exchange has still gone through. */
  async function whoIs(token: string, signal?: AbortSignal): Promise<string | undefined> {
    const reply = await rest.sendAs(undefined, { service: 'sts', path: '/v1/introspect', form: { token } }, signal)
    const name = reply.state === 'answer' ? textAt(reply.value, 'username') : undefined
    return name === undefined || name.length > 600 ? undefined : name
  }

  const went = (question: Question, signal?: AbortSignal): Promise<Went> => {
    const { bucket: _, account, ...own } = question.input
    const order = account ? { ...own, account } : own
    const key = JSON.stringify(order)
    const held = gone.get(key) ?? (account ? impersonate : federate)({ ...question, input: order }, signal)
    gone.set(key, held)
    return held
  }

  return {
    exchange: async (question, signal) => ({ ...(await went(question, signal)).fact, from: question }),
    bucketAccess: async (question, signal) => {
      const { fact, bearer } = await went(question, signal)
      if (bearer === undefined)
        return fact.state === 'known'
          ? unknown('not-asked', 'the exchange was refused, so the identity could not be asked', question)
          : { ...fact, from: question }
      const asked = bucketPermissions.map((one) => `permissions=${encodeURIComponent(one)}`).join('&')
      const bucket = encodeURIComponent(textAt(question.input, 'bucket') ?? '')
      const path = `/storage/v1/b/${bucket}/iam/testPermissions?${asked}`
      const reply = await patiently(bearer, { service: 'storage', path }, signal)
      if (reply.state === 'answer') return known({ permissions: textsAt(reply.value, 'permissions') }, question)
      // Without any permission some services answer 403 in the place of an empty list.
      if (reply.state === 'refusal' && reply.status === 403) return known({ permissions: [] }, question)
      return unseenBy(reply, question)
    },
  }
}
