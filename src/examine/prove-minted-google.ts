/** The proof of a Google identity from outside: a minted token exchanged at STS, whose token comes of it, and the account it may act as. */
import type { Fact } from '../core/fact.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Outcome, Step } from '../core/proof.ts'
import { type GoogleExchange, gcp } from '../domain/questions.ts'
import { readProof } from '../probes/gcp/proof.ts'
import type { GoogleMeant } from './learn-google.ts'
import { nobody, proveMinted } from './prove-minted.ts'
import { prove, type Run, refused, unseen } from './proving.ts'
import type { Opened } from './world.ts'

type Got = { readonly principal?: string; readonly account?: string }

/** One exchange, and what became of it; `got` hears whose the token is. */
async function attempt(
  run: Run,
  live: Opened,
  order: GoogleExchange,
  words: { readonly done: string; readonly refusal: string; readonly got: (told: Got) => void },
): Promise<Outcome> {
  const fact: Fact<Json> = await live.source.ask(gcp.exchange(order), run.stop)
  if (fact.state === 'absent') return nobody(order)
  if (fact.state === 'unknown') return unseen(fact)
  const read = readProof(fact.value)
  if (read === undefined) return unseen({ detail: 'what Google answered was not understood' })
  if (read.outcome === 'refused') {
    const { text, code = '', status } = read
    // The code stands before the words where they are worded as by Google's libraries.
    const message = text.replace(`Error code ${code}: `, '')
    return refused(words.refusal, { code: code || 'refused', message, ...(status === undefined ? {} : { status }) })
  }
  words.got(read)
  // Whom to grant something to, even where the account is then refused.
  const details =
    order.account === undefined && read.principal !== undefined ? [['principal', read.principal] as const] : []
  return { status: 'pass', says: words.done, ...(details.length === 0 ? {} : { details }) }
}

/** The minted token's own way: TokenRequest, claims, signature, STS, the account if one is named, and whose token came of it. */
export async function exchangeAtGoogle(run: Run, live: Opened, meant: GoogleMeant): Promise<void> {
  const { account, ...own } = meant.order
  const { minted, claims } = await proveMinted(run, live, own, {})
  let caller: Got = {}
  const got = (told: Got): void => {
    caller = told
  }
  const exchanged = await prove(
    run,
    'exchange',
    'Google STS exchanges the token',
    () =>
      attempt(run, live, own, {
        done: `STS gives a token for ${own.provider}`,
        refusal: `STS refuses the token for ${own.provider}`,
        got,
      }),
    minted,
  )
  let last: Step = exchanged
  if (account !== undefined)
    last = await prove(
      run,
      'impersonation',
      'The account is impersonated',
      () =>
        attempt(run, live, meant.order, {
          done: `IAM Credentials gives a token of ${account}, and gives none of anybody else`,
          refusal: `IAM Credentials refuses a token of ${account}`,
          got,
        }),
      exchanged,
    )
  await prove(run, 'who-am-i', 'Who the cloud says that this is', () => comparedWith(caller, meant, claims), last)
}

const principalForm =
  /^principal:\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/subject\/(.+)$/

/** Whose token it is, against the pool and subject that were asked for, and the account that was. */
async function comparedWith({ principal, account }: Got, meant: GoogleMeant, claims: JsonObject): Promise<Outcome> {
  const { order, by } = meant
  const details = [
    ...(principal === undefined ? [] : [['principal', principal] as const]),
    ...(account === undefined ? [] : [['account', account] as const]),
  ]
  const [, number, pool, subject] = principalForm.exec(principal ?? '') ?? []
  if (pool !== undefined) {
    const wanted = { ...meant.principal, subject: await subjectOf(meant, claims) }
    const is = (seen: string | undefined, expected: string | undefined): boolean =>
      expected === undefined || seen === expected
    if (!is(pool, wanted.pool) || !is(number, wanted.number) || !is(subject, wanted.subject))
      return {
        status: 'fail',
        says: `STS says that this is ${principal}, and subject ${wanted.subject ?? '(unknown)'} of pool ${wanted.pool} was meant`,
        details,
      }
  }
  if (order.account !== undefined)
    return account === order.account
      ? { status: 'pass', says: `${account}, as ${by} names it`, details }
      : { status: 'fail', says: `the token is of ${account ?? 'nobody'}, and ${by} names ${order.account}`, details }
  return pool === undefined
    ? {
        status: 'unknown',
        says: 'STS does not say whose the token is',
        lift: 'what is granted to this identity alone, read inside the pod: kubectl wi exchange-test --gcs BUCKET',
      }
    : { status: 'pass', says: `the identity itself, as ${by} has it`, details }
}

/** What the provider's own mapping makes of the token; on GKE it is the ServiceAccount. */
async function subjectOf({ principal, provider }: GoogleMeant, claims: JsonObject): Promise<string | undefined> {
  if (provider === undefined) return principal.subject
  const { evaluateProvider } = await import('../domain/gcp-cel.ts')
  const { mapped } = evaluateProvider(provider.mapping, undefined, claims)
  const subject = mapped['google.subject']
  return subject?.state === 'value' && typeof subject.value === 'string' ? subject.value : undefined
}
