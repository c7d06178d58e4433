/** The known error texts that speak of one ServiceAccount or pod. */
import { defineProbe, type Fact, known } from '../../core/fact.ts'
import { related, type Scope, type Subject, scopeOf, subjectKey } from '../../core/subject.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'

/**
 * A text that names an object belongs to it and its kin. One that names none belongs to the subject that was asked about: to everybody of an
 * identity where only one is judged, and to nobody in particular where there are several.
 */
const about = (
  errors: readonly ObservedError[],
  subject: Subject,
  subjects: readonly Subject[],
  scope: Scope,
): readonly ObservedError[] => {
  // The cluster answers for those whom nobody listed.
  if (subject.kind === 'Cluster') return errors
  const peers = subjects.filter((other) => scopeOf(other) === scope)
  const alone = peers.length <= 1 || peers.every((other) => subjectKey(other) === subjectKey(subject))
  return errors.filter((error) => {
    if (error.about === undefined) return alone
    const named = subjects.find((other) => subjectKey(other) === error.about)
    return (
      error.about === subjectKey(subject) ||
      (named !== undefined && named.kind !== 'Cluster' && related(named, subject))
    )
  })
}

const probe = (scope: 'service-account' | 'pod', id: string) =>
  defineProbe({
    id,
    about: 'known error texts in logs and events',
    scope,
    needs: { observedErrors },
    wants: {},
    ask: ({ observedErrors }, _want, { subject, subjects }): Fact<readonly ObservedError[]> =>
      observedErrors.state === 'known'
        ? known(about(observedErrors.value, subject, subjects, scope), observedErrors.from)
        : observedErrors,
  })

export const errorsOfServiceAccount = probe('service-account', 'workload/observed-errors')
export const errorsOfPod = probe('pod', 'workload/pod-observed-errors')
