/** A source of which some things are not asked on purpose; the word on it costs no place in any queue. */
import { type Fact, type Question, type Source, unknown } from '../core/fact.ts'
import type { Json } from '../core/json.ts'
import { exchangeCalls } from '../domain/exchange-calls.ts'
import { permissionOf, permissionWords } from '../knowledge/permissions.ts'

export type Withheld = {
  /** False: no token is minted. */
  readonly exchange?: boolean | undefined
  /** `none`: no cloud is asked. */
  readonly cloudCredentials?: 'standard' | 'none' | undefined
}

const clouds: { readonly [system: string]: string } = { aws: 'AWS', gcp: 'Google Cloud', azure: 'Azure' }

const tokenCalls: ReadonlySet<string> = new Set(['serviceaccounts/token/create', 'signature', ...exchangeCalls])

/** What was kept from being asked is unknown (not-asked), with the flag that would lift it. */
export function withheld(source: Source, { exchange, cloudCredentials }: Withheld): Source {
  /** The same for all questions of one kind. */
  const lifts = new Map<string, string>()
  const liftOf = (question: Question): string => {
    const key = `${question.system} ${question.call}`
    let lift = lifts.get(key)
    if (lift === undefined) {
      const needed = permissionWords(permissionOf(question))
      lift = `leave out --cloud-credentials none${needed === undefined ? '' : ` (${needed})`}`
      lifts.set(key, lift)
    }
    return lift
  }
  const kept = (question: Question): Fact<Json> | undefined => {
    const { system, call } = question
    if (exchange === false && tokenCalls.has(call))
      return unknown('not-asked', '--no-exchange was given, so no token is minted', question, 'leave out --no-exchange')
    const cloud = cloudCredentials === 'none' ? clouds[system] : undefined
    return cloud === undefined
      ? undefined
      : unknown('not-asked', `--cloud-credentials none was given, so ${cloud} is not asked`, question, liftOf(question))
  }
  return { name: source.name, ask: (question, signal) => kept(question) ?? source.ask(question, signal) }
}
