/** What is judged: the cluster, a node, a ServiceAccount, a pod, another named object, and how they hang together. */

export type Scope = 'cluster' | 'node' | 'service-account' | 'pod' | 'object'

export type Subject = {
  /** Cluster, Node, ServiceAccount, Pod, or the kind of another named object (Role, PersistentVolume, …). */
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** In a report of several clusters: the context of the one that it is in. */
  readonly context?: string
  /** Keys of the subjects it belongs to: a pod's ServiceAccount, the ServiceAccounts that name a role. */
  readonly of?: readonly string[]
  /** Scopes that it answers for because nobody finer was seen: the cluster for a lone error text, a ServiceAccount for its unseen pods. */
  readonly standsFor?: readonly Scope[]
  /** Of the cluster: kinds of objects that it answers for, because such objects could not be listed or only an error text speaks of them. */
  readonly standsForKinds?: readonly string[]
  /** Of the cluster or a node: it was asked about as such, with all that is in it, not only for the one workload that was named. */
  readonly whole?: true
}

export const clusterSubject = { kind: 'Cluster', name: 'cluster' } as const satisfies Subject

const scopes: { readonly [kind: string]: Scope } = {
  Cluster: 'cluster',
  Node: 'node',
  ServiceAccount: 'service-account',
  Pod: 'pod',
}

export const scopeOf = (subject: Subject): Scope => scopes[subject.kind] ?? 'object'

/** `ServiceAccount shop/cart`: unique within a run. */
export function keyOfSubject({
  kind,
  namespace,
  name,
  context,
}: Pick<Subject, 'kind' | 'namespace' | 'name' | 'context'>): string {
  const place = namespace === undefined ? '' : `${namespace}/`
  return context === undefined ? `${kind} ${place}${name}` : `${kind} ${place}${name} in ${context}`
}

const keys = new WeakMap<Subject, string>()

/** The same, made once for each that is judged: thousands are looked up time and again. */
export function subjectKey(subject: Subject): string {
  let key = keys.get(subject)
  if (key === undefined) {
    key = keyOfSubject(subject)
    keys.set(subject, key)
  }
  return key
}

export const isJudgedAs = (subject: Subject, scope: Scope): boolean =>
  scopeOf(subject) === scope || subject.standsFor?.includes(scope) === true

/** The same text for all that are about the same subjects. */
export const rangeOf = ({ scope, kinds = [] }: { readonly scope: Scope; readonly kinds?: readonly string[] }): string =>
  [scope, ...kinds].join()

const haveOneInCommon = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((one) => others.includes(one))

/** Whom something of this scope is about; where it names kinds of objects, only those. */
export const isJudgedBy = (
  { scope, kinds }: { readonly scope: Scope; readonly kinds?: readonly string[] },
  subject: Subject,
): boolean =>
  scope === 'object' && kinds !== undefined
    ? kinds.includes(subject.kind) ||
      subject.standsFor?.includes('object') === true ||
      (subject.standsForKinds !== undefined && haveOneInCommon(subject.standsForKinds, kinds))
    : isJudgedAs(subject, scope)

const rank: { readonly [kind: string]: number } = { Cluster: 0, Node: 1, ServiceAccount: 2, Pod: 3 }
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The order of a report: the cluster first, then by kind, namespace and name; never by locale. */
export const bySubject = (a: Subject, b: Subject): number =>
  (rank[a.kind] ?? 4) - (rank[b.kind] ?? 4) ||
  byText(a.kind, b.kind) ||
  byText(a.namespace ?? '', b.namespace ?? '') ||
  byText(a.name, b.name)

/** Whether what holds for one can hold up the other: the same subject, one above the other, or two ends of one identity. */
export function related(a: Subject, b: Subject): boolean {
  if (a.context !== b.context) return false
  if (a.kind === 'Cluster' || b.kind === 'Cluster') return true
  const keyA = subjectKey(a)
  const keyB = subjectKey(b)
  if (keyA === keyB) return true
  if (a.kind === b.kind) return false
  if (a.of?.includes(keyB) || b.of?.includes(keyA)) return true
  return a.of?.some((key) => b.of?.includes(key)) === true
}
