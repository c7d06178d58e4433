/** Everybody who is judged in this run, looked through once for all who ask whether somebody is among them. */
import { defineProbe, type Fact, known } from '../../core/fact.ts'
import { type Scope, type Subject, scopeOf, subjectKey } from '../../core/subject.ts'
import { kubernetes } from '../../domain/questions.ts'

export type Judged = {
  readonly byKey: ReadonlyMap<string, Subject>
  /** The `sub` of the tokens of those ServiceAccounts. */
  readonly tokenSubjects: ReadonlySet<string>
  /** How many ServiceAccounts. */
  readonly accounts: number
  /** At most one subject is of this scope. */
  readonly alone: (scope: Scope) => boolean
}

/** What Kubernetes writes into `sub`: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens */
export const tokenSubjectOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  `system:serviceaccount:${namespace}:${name}`

/** Never unknown: it is the run's own order. */
export const judged = defineProbe({
  id: 'cluster/judged',
  about: 'who is judged',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { subjects }): Fact<Judged> => {
    const byKey = new Map<string, Subject>()
    const scopes = new Map<Scope, number>()
    const tokenSubjects = new Set<string>()
    for (const subject of subjects) {
      const key = subjectKey(subject)
      if (byKey.has(key)) continue
      byKey.set(key, subject)
      const scope = scopeOf(subject)
      scopes.set(scope, (scopes.get(scope) ?? 0) + 1)
      if (scope === 'service-account') tokenSubjects.add(tokenSubjectOf(subject))
    }
    const alone = (scope: Scope): boolean => (scopes.get(scope) ?? 0) <= 1
    return known(
      { byKey, tokenSubjects, accounts: scopes.get('service-account') ?? 0, alone },
      kubernetes.list('serviceaccounts'),
    )
  },
})
