/** Reads logs and events for known error texts: what went wrong, in the words of whoever said it. */
import type { Fact, Question } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { errorTextFinder, type Sighting } from '../../domain/error-texts.ts'
import { errorTexts } from '../../knowledge/error-texts.ts'
import { withoutSecrets } from '../secrets.ts'
import { trailIn } from './cloudtrail.ts'
import { type Document, type Recogniser, told } from './document.ts'

const find = errorTextFinder(errorTexts)

const mostErrors = 500
const longestExcerpt = 1000

type Observed = { readonly [key: string]: Json }

/** The ServiceAccount that a text names, by the subject of its tokens or by name. */
function subjectIn(text: string): JsonObject | undefined {
  const [, namespace, name] = /system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})/.exec(text) ?? []
  if (namespace !== undefined && name !== undefined) return { kind: 'ServiceAccount', namespace, name }
  const [, space, account] = /service ?account "?([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})/i.exec(text) ?? []
  return space === undefined || account === undefined
    ? undefined
    : { kind: 'ServiceAccount', namespace: space, name: account }
}

/** A denial that was pasted with its lines wrapped: with the line before it that says who was denied, and the one after that says what. */
function whole(lines: readonly string[], sighting: Sighting): Sighting {
  const { firstLine, lastLine } = sighting
  const own = lines.slice(firstLine, lastLine + 1).join(' ')
  if (!/is not authorized to perform/.test(own)) return sighting
  const before = [1, 2].find((back) => /\bUser: ?arn:/.test(lines[firstLine - back] ?? ''))
  return {
    ...sighting,
    firstLine: /\bUser: ?arn:/.test(own) || before === undefined ? firstLine : firstLine - before,
    lastLine: /on resource: *$/.test(own) && lastLine + 1 < lines.length ? lastLine + 1 : lastLine,
  }
}

/** The lines of a sighting; of a very long line what stands around it. */
function excerptOf(lines: readonly string[], { firstLine, lastLine, known }: Sighting): string {
  const text = lines
    .slice(firstLine, lastLine + 1)
    .join('\n')
    .trim()
  if (text.length <= longestExcerpt) return text
  const anchor = known.fragment.startsWith('/') ? 0 : Math.max(0, text.indexOf(known.fragment.split('…')[0] ?? ''))
  const from = Math.max(0, Math.min(anchor - 200, text.length - longestExcerpt))
  return `${from === 0 ? '' : '…'}${text.slice(from, from + longestExcerpt)}…`
}

/** What controllers write into the status of an object when something went wrong: messages of conditions, reasons of challenges. */
const mostDepth = 6
function* complaints(status: Json | undefined, depth = 0): Generator<string> {
  if (depth > mostDepth) return
  if (isList(status)) for (const one of status.slice(0, 100)) yield* complaints(one, depth + 1)
  if (!isObject(status)) return
  // What ended a container that runs again is over.
  const isOver = isObject(status.state) && status.state.running !== undefined
  for (const [key, value] of Object.entries(status)) {
    if (typeof value === 'string') {
      if (key === 'message' || key === 'reason' || key === 'error') yield value
    } else if (!(isOver && key === 'lastState')) yield* complaints(value, depth + 1)
  }
}

export type LogDocuments = Pick<Recogniser, 'answer'> & {
  /** Whether the document holds records of CloudTrail. */
  readonly takeTrail: (document: Document) => boolean
  /** A Kubernetes object, or a list of them. */
  readonly takeStatus: (object: Json) => void
  readonly takeText: (file: string, text: string, firstLine: number) => void
  /** Events as the API serves them. */
  readonly takeEvents: (events: readonly JsonObject[]) => void
}

/** What of one text is known, each once; `place` is added to each. */
export function observedIn(text: string, place: (line: number) => JsonObject, oneText = false): readonly Observed[] {
  const lines = text.split('\n')
  const found = new Map<string, Observed>()
  for (const seen of find(text, oneText)) {
    const sighting = oneText ? seen : whole(lines, seen)
    if (found.size >= mostErrors) break
    // The whole line is cleaned before it is cut: half a token is not seen to be one.
    const excerpt = excerptOf(
      lines.map((line, index) =>
        index >= sighting.firstLine && index <= sighting.lastLine ? withoutSecrets(line) : '',
      ),
      sighting,
    )
    const subject = subjectIn(excerpt)
    const { fragment } = sighting.known
    const key = `${fragment} ${subject === undefined ? '' : `${subject.namespace}/${subject.name}`}`
    if (found.has(key)) continue
    found.set(key, {
      text: excerpt,
      fragment,
      ...place(sighting.firstLine),
      ...(subject === undefined ? {} : { subject }),
    })
  }
  return [...found.values()]
}

export function logDocuments(): LogDocuments {
  const errors: Observed[] = []
  const harmless = new Set<string>()
  const takeText = (file: string, text: string, firstLine: number): void => {
    errors.push(...observedIn(text, (line) => ({ file, line: line + firstLine })))
  }
  const takeEvents = (events: readonly JsonObject[]): void => {
    for (const event of events) {
      const text = textAt(event, 'message') ?? textAt(event, 'note')
      if (text === undefined) continue
      const kind = textAt(event, 'involvedObject', 'kind')
      const name = textAt(event, 'involvedObject', 'name')
      const namespace = textAt(event, 'involvedObject', 'namespace')
      const about =
        kind === undefined || name === undefined
          ? {}
          : { subject: { kind, name, ...(namespace === undefined ? {} : { namespace }) } }
      // Whom the text names is nearer to the matter than the object that the event was put on.
      errors.push(...observedIn(text, () => ({}), true).map((one) => ({ ...about, ...one })))
    }
  }
  const takeStatus = (object: Json): void => {
    if (!isObject(object) || textAt(object, 'apiVersion') === undefined) return
    for (const item of isList(object.items) ? object.items : [object]) {
      const kind = textAt(item, 'kind')
      const name = textAt(item, 'metadata', 'name')
      const namespace = textAt(item, 'metadata', 'namespace')
      if (kind === undefined || name === undefined || kind === 'Event') continue
      const subject = { kind, name, ...(namespace === undefined ? {} : { namespace }) }
      for (const text of new Set(complaints(at(item, 'status')))) {
        // Thousands of pods say the same few words.
        if (harmless.has(text)) continue
        const found = observedIn(text, () => ({}), true)
        if (found.length === 0) harmless.add(text)
        errors.push(...found.map((one) => ({ subject, ...one })))
      }
    }
  }
  // Never unknown: where no log was given, nothing was observed.
  const answer = (question: Question): Fact<Json> | undefined =>
    question.system === 'observed' && question.call === 'errors'
      ? told({ errors: errors.slice(0, mostErrors) }, question)
      : undefined
  const takeTrail = ({ file, line, value }: Document): boolean => {
    const texts = trailIn(value)
    for (const text of texts ?? []) errors.push(...observedIn(text, () => ({ file, line }), true))
    return texts !== undefined
  }
  return { answer, takeText, takeEvents, takeStatus, takeTrail }
}
