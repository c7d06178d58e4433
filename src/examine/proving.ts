/** Steps of a proof, each timed, and what they have in common whatever the cloud: causes, times of a token, its signature. */
import type { Source } from '../core/fact.ts'
import { isObject, type JsonObject, textAt } from '../core/json.ts'
import type { Answer, Lead, Outcome, Step } from '../core/proof.ts'
import { errorTextFinder } from '../domain/error-texts.ts'
import { oidc, type TokenName } from '../domain/questions.ts'
import { audiencesOf } from '../domain/token-claims.ts'
import { errorTexts } from '../knowledge/error-texts.ts'
import { papers } from '../knowledge/papers.ts'
import { spanOf } from './token.ts'

/** What all steps of a run share. */
export type Run = { readonly stop: AbortSignal; readonly steps: Step[] }

const over: Outcome = { status: 'unknown', says: 'the run was stopped, or its time was over, before this was seen' }

/** Runs one step, unless what it builds on does not hold; adds it to the others and returns it. */
export async function prove(
  run: Run,
  id: string,
  title: string,
  work: () => Outcome | Promise<Outcome>,
  after?: Outcome,
): Promise<Step> {
  const begun = performance.now()
  const held = after !== undefined && after.status !== 'pass'
  const outcome: Outcome = held
    ? { status: 'blocked', says: 'waits for what is said above' }
    : run.stop.aborted
      ? over
      : await work()
  const step = { id, title, milliseconds: Math.round(performance.now() - begun), ...outcome }
  run.steps.push(step)
  return step
}

const find = errorTextFinder(errorTexts)
const mostCauses = 3

/** What the refusal's own words lead to: first what the first of them does, most likely first. */
export function causesOf({ code, message }: Answer): readonly Lead[] {
  const titles = new Map(papers.map((paper) => [paper.id, paper]))
  const leads = new Map<string, Lead>()
  for (const { known } of find(`${code}: ${message}`, true))
    for (const { check, message: id, when } of known.leads) {
      const sentence = titles.get(check)?.messages.find((one) => one.id === id)?.sentence
      // A sentence with places to be filled says nothing before they are.
      const plain = sentence?.includes('{') === true ? undefined : sentence
      if (!leads.has(check)) leads.set(check, { check, says: when ?? plain ?? known.means })
    }
  return [...leads.values()].slice(0, mostCauses)
}

/** What could not be seen, with what would let us. */
/** What lifts what only the pod itself can see. */
export const inside = 'run kubectl wi exchange-test inside the pod'

export const unseen = ({ detail, lift }: { readonly detail: string; readonly lift?: string }): Outcome => ({
  status: 'unknown',
  says: detail,
  ...(lift === undefined ? {} : { lift }),
})

export const refused = (says: string, answer: Answer): Outcome => ({
  status: 'fail',
  says,
  answer,
  causes: causesOf(answer),
})

const number = (claims: JsonObject, name: string): number | undefined => {
  const value = claims[name]
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8e12 ? value : undefined
}

/** What the token says of itself. `wanted`: the only audience that the other side takes; its usual one, where it may take others. */
export function judgeClaims(
  token: { readonly header: JsonObject; readonly claims: JsonObject; readonly unsigned: boolean },
  wanted: { readonly audience?: string; readonly usual?: string },
  now: number,
): Outcome {
  const { claims, header, unsigned } = token
  const audiences = audiencesOf(claims)
  const exp = number(claims, 'exp')
  const from = number(claims, 'nbf') ?? number(claims, 'iat')
  const details: (readonly [string, string])[] = [
    ['issuer', textAt(claims, 'iss') ?? 'none'],
    ['subject', textAt(claims, 'sub') ?? 'none'],
    ['audience', audiences.join(', ') || 'none'],
    ['key', `${textAt(header, 'alg') ?? 'no alg'}, kid ${textAt(header, 'kid') ?? 'missing'}`],
  ]
  const fail = (says: string, check: string): Outcome => ({ status: 'fail', says, details, causes: [{ check, says }] })
  if (unsigned) return { status: 'fail', says: 'nobody has signed the token: its alg is "none"', details }
  if (exp === undefined) return { status: 'fail', says: 'the token has no exp claim, which no cloud accepts', details }
  if (exp <= now)
    return fail(`the token expired ${spanOf(now - exp)} ago, by this machine's clock`, 'workload/token-is-fresh')
  // Clocks are rarely equal to the second.
  if (from !== undefined && from > now + 60)
    return fail(`the token is not valid yet: it begins in ${spanOf(from - now)}`, 'cluster/clocks-agree')
  if (wanted.audience !== undefined && !audiences.includes(wanted.audience))
    return fail(
      `the token is for ${audiences.join(', ') || 'nobody'}, and ${wanted.audience} is wanted`,
      'workload/token-volume-asks-for-the-audience',
    )
  const left = `${spanOf(exp - now)} left${from === undefined ? '' : ` of ${spanOf(exp - from)}`}`
  const unusual = wanted.usual !== undefined && !audiences.includes(wanted.usual)
  const says = unusual
    ? `the token is current (${left}); its audience is not the usual ${wanted.usual}`
    : `the token is current: ${left}`
  return { status: 'pass', says, details }
}

/** Asks the issuer, as anybody on the internet would, for its keys, and these for the signature. */
export async function judgeSignature(source: Source, token: TokenName, issuer: string | undefined): Promise<Outcome> {
  if (issuer === undefined) return { status: 'fail', says: 'the token names no issuer' }
  const unseen = (detail: string): Outcome => ({
    status: 'unknown',
    says: `the published keys were not seen from here: ${detail}`,
    lift: 'the cloud fetches them by itself; its answer to the exchange decides',
  })
  const discovery = await source.ask(oidc.discovery(issuer))
  if (discovery.state !== 'known') return unseen(discovery.state === 'unknown' ? discovery.detail : 'there are none')
  const failure = isObject(discovery.value) ? textAt(discovery.value.failure, 'detail') : undefined
  if (failure !== undefined) return unseen(failure)
  const uri = isObject(discovery.value) ? textAt(discovery.value.document, 'jwks_uri') : undefined
  if (uri === undefined) return unseen(`${issuer} answers with no discovery document`)
  const seen = await source.ask(oidc.signature(uri, token))
  if (seen.state !== 'known') return unseen(seen.state === 'unknown' ? seen.detail : 'there are none')
  if (isObject(seen.value) && seen.value.verified === true)
    return { status: 'pass', says: 'a key that the issuer publishes verifies it', details: [['keys', uri]] }
  const reason = textAt(seen.value, 'reason') ?? 'no published key verifies it'
  return {
    status: 'fail',
    says: reason,
    details: [['keys', uri]],
    causes: [{ check: 'cluster/published-keys-verify-tokens', says: reason }],
  }
}
