/** What Google said to the workload's own token: exchanged, or refused and in which words. */
import type { CheckId, Verdict } from '../../core/check.ts'
import { absent, type Fact, type Inquiry, reading } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import type { GkeCluster } from '../../domain/gcp-cluster.ts'
import { audienceOfConfiguration, type Configuration, impersonates } from '../../domain/gcp-credentials.ts'
import { audiencesOf, type Provider } from '../../domain/gcp-provider.ts'
import { googleTextOf } from '../../domain/gcp-texts.ts'
import { type GoogleExchange, gcp } from '../../domain/questions.ts'
import { evidenceOf, type Heard } from './heard.ts'

type Passed = Extract<Verdict, { status: 'pass' }>

export type Proof =
  | { readonly outcome: 'exchanged'; readonly principal?: string; readonly account?: string }
  | {
      readonly outcome: 'refused'
      readonly step: string
      readonly text: string
      /** Google's own word for it, and the status of HTTP. */
      readonly code?: string
      readonly status?: number
    }

export function readProof(json: Json): Proof | undefined {
  const outcome = textAt(json, 'outcome')
  const [principal, account] = [textAt(json, 'principal'), textAt(json, 'account')]
  if (outcome === 'exchanged')
    return {
      outcome,
      ...(principal === undefined ? {} : { principal }),
      ...(account === undefined ? {} : { account }),
    }
  const text = textAt(json, 'text')
  if (outcome !== 'refused' || text === undefined) return undefined
  const code = textAt(json, 'code')
  const status = at(json, 'status')
  return {
    outcome,
    text,
    step: textAt(json, 'step') ?? 'exchange',
    ...(code === undefined ? {} : { code }),
    ...(typeof status === 'number' ? { status } : {}),
  }
}

type Who = { readonly namespace: string; readonly name: string }

/** As the metadata server of GKE goes about it; undefined where the cluster was not seen. */
export function orderOnGke(
  { namespace, name }: Who,
  { pool, url }: GkeCluster,
  account: string | undefined,
): GoogleExchange | undefined {
  if (pool === undefined || url === undefined) return undefined
  const provider = `identitynamespace:${pool}:${url}`
  return { namespace, name, audience: pool, provider, ...(account === undefined ? {} : { account }) }
}

/** Claims that only a token of a pod has, which the doctor's own is not. */
const ofPods = /\bpod\b|['"]node['"]|\.node\b|jti/

/** As the libraries go about it; undefined where the provider's rules read what only tokens of pods have. */
export function orderAtProvider(
  { namespace, name }: Who,
  named: string,
  {
    provider,
    audience,
    configuration,
  }: {
    readonly provider: Fact<Provider>
    readonly audience: string | undefined
    readonly configuration: Configuration | undefined
  },
): GoogleExchange | undefined {
  const rules =
    provider.state === 'known' ? [...Object.values(provider.value.mapping), provider.value.condition ?? ''] : []
  if (rules.some((rule) => ofPods.test(rule))) return undefined
  const wanted =
    audience ?? (provider.state === 'known' ? audiencesOf(provider.value)[0] : `https://iam.googleapis.com/${named}`)
  const account = configuration === undefined ? undefined : impersonates(configuration)
  const to = configuration === undefined ? `//iam.googleapis.com/${named}` : audienceOfConfiguration(configuration)
  return {
    namespace,
    name,
    audience: wanted ?? '',
    provider: to,
    ...(account === undefined ? {} : { account }),
  }
}

/** Absent where there is nothing that could be exchanged. */
export async function proofOf(order: GoogleExchange | undefined, ask: Inquiry['ask']): Promise<Fact<Proof>> {
  return order === undefined ? absent(gcp.collected()) : reading(await ask(gcp.exchange(order)), readProof)
}

/** A refusal as an error text that somebody logged; none where it names no cause. */
export function heardOf(proof: Fact<Proof>): readonly Heard[] {
  if (proof.state !== 'known' || proof.value.outcome !== 'refused') return []
  const { text, step } = proof.value
  const said = googleTextOf(text)
  return said === undefined
    ? []
    : [{ ...said, error: { text, fragment: said.message, place: `the ${step} of a token that was minted for this` } }]
}

/** The one thing that no reading of settings can gainsay. */
export const passedBy = (proof: Fact<Proof>): Passed | undefined =>
  proof.state === 'known' && proof.value.outcome === 'exchanged'
    ? { status: 'pass', evidence: [evidenceOf(proof.from, 'outcome', 'exchanged')] }
    : undefined

/** What Google refused just now in words that lead to this check, or, without one, to none. */
export function refusedBy(proof: Fact<Proof>, check: CheckId | undefined): string | undefined {
  if (proof.state !== 'known' || proof.value.outcome !== 'refused') return undefined
  const { text } = proof.value
  return googleTextOf(text)?.check === check ? text.slice(0, 300) : undefined
}
