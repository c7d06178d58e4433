/** The known error texts that speak of one ServiceAccount or pod. */
import { absent, defineProbe, type Fact, known, type Probe } from '../../core/fact.ts'
import { related, type Scope, type Subject, scopeOf, subjectKey } from '../../core/subject.ts'
import { judged } from '../cluster/judged.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'

export type ErrorShelves = {
  readonly all: readonly ObservedError[]
  /** Places in `all`, by the key of the subject that the text names, and of those which that one belongs to. */
  readonly byKey: ReadonlyMap<string, readonly number[]>
  /** Places of those that name nobody. */
  readonly unnamed: readonly number[]
  /** Places of those on objects that somebody may use who is judged, or that nobody collected, by the namespace of the object. */
  readonly strange: ReadonlyMap<string, readonly number[]>
  /** The subject that is named, where it is judged too. */
  readonly named: (error: ObservedError) => Subject | undefined
  readonly alone: (scope: Scope) => boolean
}

/** The namespace of an object that somebody else may use: a store, a claim, a pod that nobody collected. */
const strangerIn = /^(?!ServiceAccount |Node |Cluster )\S+ ([^/ ]+)\//

/** The texts by whom they speak of, so that nobody looks through those of all others. */
export const errorShelves = defineProbe({
  id: 'cluster/error-shelves',
  about: 'whom the known error texts speak of',
  scope: 'cluster',
  needs: { observedErrors, judged },
  wants: {},
  only: 'observedErrors',
  ask: ({ observedErrors, judged }): Fact<ErrorShelves> => {
    if (judged.state === 'absent') return judged
    const { byKey: subjects, alone } = judged.value
    const all = observedErrors.value
    const byKey = new Map<string, number[]>()
    const unnamed: number[] = []
    const strange = new Map<string, number[]>()
    const named = ({ about }: ObservedError): Subject | undefined =>
      about === undefined ? undefined : subjects.get(about)
    const put = (shelves: Map<string, number[]>, key: string, place: number): void => {
      const shelf = shelves.get(key)
      if (shelf === undefined) shelves.set(key, [place])
      else shelf.push(place)
    }
    for (const [place, error] of all.entries()) {
      if (error.about === undefined) {
        unnamed.push(place)
        continue
      }
      const subject = named(error)
      for (const key of new Set([error.about, ...(subject?.of ?? [])])) put(byKey, key, place)
      const namespace = strangerIn.exec(error.about)?.[1]
      if (namespace !== undefined && (subject === undefined || scopeOf(subject) === 'object'))
        put(strange, namespace, place)
    }
    return known({ all, byKey, unnamed, strange, named, alone }, observedErrors.from)
  },
})

const noErrors: readonly ObservedError[] = []

/**
 * A text that names an object belongs to it and its kin. One that names none belongs to the subject that was asked about: to everybody of an
 * identity where only one is judged, and to nobody in particular where there are several.
 */
function about(
  { all, byKey, unnamed, strange, named, alone }: ErrorShelves,
  subject: Subject,
  scope: Scope,
): readonly ObservedError[] {
  // The cluster answers for those whom nobody listed.
  if (subject.kind === 'Cluster') return all
  if (all.length === 0) return noErrors
  const key = subjectKey(subject)
  const strangers = alone(scope) ? (strange.get(subject.namespace ?? '') ?? []) : []
  const places = new Set(alone(scope) ? [...unnamed, ...strangers] : [])
  for (const one of [key, ...(subject.of ?? [])]) for (const place of byKey.get(one) ?? []) places.add(place)
  const isAbout = (error: ObservedError): boolean => {
    if (error.about === undefined || error.about === key) return true
    const other = named(error)
    return other !== undefined && other.kind !== 'Cluster' && related(other, subject)
  }
  return [...places]
    .sort((a, b) => a - b)
    .flatMap((place) => {
      const error = all[place]
      return error !== undefined && (strangers.includes(place) || isAbout(error)) ? [error] : []
    })
}

const probe = (scope: 'service-account' | 'pod', id: string) =>
  defineProbe({
    id,
    about: 'known error texts in logs and events',
    scope,
    needs: { errorShelves },
    wants: {},
    ask: ({ errorShelves }, _want, { subject }): Fact<readonly ObservedError[]> =>
      errorShelves.state === 'known'
        ? known(about(errorShelves.value, subject, scope), errorShelves.from)
        : errorShelves,
  })

/** Whether anything was said at all; absent where nothing was. */
const anything = (scope: 'service-account' | 'pod', id: string, errors: Probe<readonly ObservedError[]>) =>
  defineProbe({
    id,
    about: 'whether there are known error texts in logs and events',
    scope,
    needs: { errors },
    wants: {},
    ask: ({ errors }): Fact<true> =>
      errors.state === 'known' && errors.value.length > 0 ? known(true, errors.from) : absent(errors.from),
  })

export const errorsOfServiceAccount = probe('service-account', 'workload/observed-errors')
export const errorsOfPod = probe('pod', 'workload/pod-observed-errors')
export const saidOfPod = anything('pod', 'workload/pod-said', errorsOfPod)
