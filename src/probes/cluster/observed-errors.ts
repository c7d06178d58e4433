/** The known error texts that were seen in logs and events. */
import { defineProbe, inquire } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { type Subject, subjectKey } from '../../core/subject.ts'
import { seen } from '../../domain/questions.ts'

export type ObservedError = {
  /** The line or lines as they stood there, redacted. */
  readonly text: string
  /** The fragment of the table of error texts that fits it. */
  readonly fragment: string
  readonly place: string
  /** Key of the subject that the text is about, where it names one. */
  readonly about?: string
}

const read = (json: Json): ObservedError | undefined => {
  const text = textAt(json, 'text')
  const fragment = textAt(json, 'fragment')
  if (text === undefined || fragment === undefined) return undefined
  const file = textAt(json, 'file')
  const line = at(json, 'line')
  const kind = textAt(json, 'subject', 'kind')
  const name = textAt(json, 'subject', 'name')
  const namespace = textAt(json, 'subject', 'namespace')
  const subject: Subject | undefined =
    kind === undefined || name === undefined
      ? undefined
      : { kind, name, ...(namespace === undefined ? {} : { namespace }) }
  return {
    text,
    fragment,
    place: file === undefined ? 'observed' : typeof line === 'number' ? `${file}:${line}` : file,
    ...(subject === undefined ? {} : { about: subjectKey(subject) }),
  }
}

export const observedErrors = defineProbe<readonly ObservedError[]>({
  id: 'cluster/observed-errors',
  about: 'known error texts in logs and events',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    inquire(inquiry, seen.errors(), (answer) => listAt(answer, 'errors').flatMap((one) => read(one) ?? [])),
})
