/** What an intent of `bind sa` is made of: who is bound, how, and what can be seen. */
import type { Fact, Probe, Question } from '../core/fact.ts'
import type { Json } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import type { FixFlags } from './fix.ts'
import { usage } from './trouble.ts'

export type BindFlags = Omit<FixFlags, 'only' | 'selector' | 'all-namespaces' | 'overlay'> & {
  readonly 'aws-role'?: string | undefined
  readonly 'azure-identity'?: string | undefined
  readonly 'azure-app'?: string | undefined
  readonly 'pod-identity': boolean
  readonly 'create-role': boolean
  readonly 'attach-policy'?: readonly string[] | undefined
  readonly 'gcp-service-account'?: string | undefined
  readonly 'gcp-direct': boolean
  readonly 'gcp-provider'?: string | undefined
  readonly role?: string | undefined
  readonly on?: string | undefined
  readonly 'service-account-only': boolean
  readonly 'cloud-only': boolean
  readonly restart: boolean
}

/** What an intent is made of: who is bound, how, and what can be seen. */
export type BindBrief = {
  readonly namespace: string
  readonly name: string
  readonly flags: BindFlags
  readonly ask: (question: Question) => Promise<Fact<Json>>
  /** Any probe's fact about the cluster. */
  readonly ofCluster: <T>(probe: Probe<T>) => Promise<Fact<T>>
  /** Tells a person what is in place already, or will soon be in the way. */
  readonly say: (sentence: string) => void
}
export type Intent = (brief: BindBrief) => Promise<readonly Action[]>

/** The value; undefined where there is none. Ends the command where it could not be seen: nothing is changed blindly. */
export function seenOrEnd<T>(fact: Fact<T>, what: string): T | undefined {
  if (fact.state === 'known') return fact.value
  if (fact.state === 'absent') return undefined
  throw usage(`${what} was not seen: ${fact.detail}${fact.lift === undefined ? '' : `; ${fact.lift}`}`)
}
