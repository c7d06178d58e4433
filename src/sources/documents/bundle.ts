/** Recognises `bundle.yaml`: when everything was asked, and the answers that have no native document. */
import { absent, type Fact, keyOf, type Question, unknown, type Why } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, told } from './document.ts'

const whys: readonly Why[] = [
  'forbidden',
  'unauthenticated',
  'unreachable',
  'timeout',
  'throttled',
  'not-collected',
  'not-asked',
  'malformed',
  'cancelled',
]

type Recorded =
  | { readonly state: 'known'; readonly value: Json }
  | { readonly state: 'absent' }
  | {
      readonly state: 'unknown'
      readonly why: Why
      readonly detail: string
      readonly lift?: string
      /** It stands although a document seems to answer: what was asked for was more than that. */
      readonly firm: boolean
    }

function recordedIn(entry: Json): { readonly question: Question; readonly recorded: Recorded } | undefined {
  if (!isObject(entry) || !isObject(entry.question)) return undefined
  const { system, call, input } = entry.question
  if (typeof system !== 'string' || typeof call !== 'string') return undefined
  const question = { system, call, input: isObject(input) ? input : {} }
  const { state, value } = entry
  if (state === 'known' && value !== undefined) return { question, recorded: { state, value } }
  if (state === 'absent') return { question, recorded: { state } }
  if (state !== 'unknown') return undefined
  const why = whys.find((one) => one === entry.why) ?? 'not-collected'
  const detail = textAt(entry, 'detail') ?? 'it could not be seen when the bundle was collected'
  const lift = textAt(entry, 'lift')
  return {
    question,
    recorded: { state, why, detail, firm: entry.firm === true, ...(lift === undefined ? {} : { lift }) },
  }
}

export type Bundle = {
  /** The time of collection, as ISO 8601 text. */
  readonly time: () => string | undefined
  /** Who was examined and by what, where `collect` has written it. */
  readonly run: () => JsonObject | undefined
  readonly take: (document: Document) => boolean
  /** What the bundle knows, or knows to be absent; and apart from that, why something could not be seen. */
  readonly answer: (question: Question, state: 'seen' | 'unseen') => Fact<Json> | undefined
}

/** `now`: a time to take where no bundle tells one. */
export function bundleDocuments(now?: string): Bundle {
  const answers = new Map<string, Recorded>()
  let time = now
  let run: JsonObject | undefined
  const take = ({ value }: Document): boolean => {
    // The report of the run, which lies beside its answers.
    if (isObject(value) && value.schema === 'kubectl-wi/report/v1') return true
    if (!isObject(value) || value.kind !== 'Bundle' || !textAt(value, 'apiVersion')?.startsWith('kubectl-wi/'))
      return false
    const written = textAt(value, 'time')
    if (written !== undefined && !Number.isNaN(Date.parse(written))) time = written
    if (isObject(value.run)) run = value.run
    for (const entry of isList(value.answers) ? value.answers : []) {
      const one = recordedIn(entry)
      if (one !== undefined) answers.set(keyOf(one.question), one.recorded)
    }
    return true
  }
  const answer: Bundle['answer'] = (question, state) => {
    if (question.system === 'clock' && question.call === 'now' && time !== undefined && state === 'seen')
      return told(time, question)
    if (answers.size === 0) return undefined
    const recorded = answers.get(keyOf(question))
    if (recorded === undefined || (recorded.state === 'unknown' && !recorded.firm) !== (state === 'unseen'))
      return undefined
    if (recorded.state === 'known') return told(recorded.value, question)
    return Object.freeze(
      recorded.state === 'absent' ? absent(question) : unknown(recorded.why, recorded.detail, question, recorded.lift),
    )
  }
  return { take, answer, time: () => time, run: () => run }
}
