/** How subjects are called in a sentence. */
import { bySubject, type Subject, subjectKey } from '../core/subject.ts'
import { clean, count, few } from './text.ts'

const short: { readonly [kind: string]: string } = { ServiceAccount: 'sa', Pod: 'pod', Node: 'node' }

/** `sa shop/cart`, `pod shop/cart-7d9f`, `the cluster`. */
export function nameOf(subject: Subject): string {
  const where = subject.context === undefined ? '' : ` in ${subject.context}`
  if (subject.kind === 'Cluster') return clean(`the cluster${where}`)
  const place = subject.namespace === undefined ? '' : `${subject.namespace}/`
  return clean(`${short[subject.kind] ?? subject.kind} ${place}${subject.name}${where}`)
}

const plural = (kind: string): string => (kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`)
const spoken = (kind: string): string => (kind in short && kind !== 'ServiceAccount' ? kind.toLowerCase() : kind)

const distinctOf = (subjects: readonly Subject[]): readonly Subject[] => [
  ...new Map(subjects.map((subject) => [subjectKey(subject), subject])).values(),
]

function counted(distinct: readonly Subject[]): string {
  const kinds = new Map<string, number>()
  for (const { kind } of distinct) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  return [...kinds]
    .sort(([a], [b]) => bySubject({ kind: a, name: '' }, { kind: b, name: '' }))
    .map(([kind, number]) =>
      kind === 'Cluster' && number === 1 ? 'the cluster' : count(number, spoken(kind), plural(spoken(kind))),
    )
    .join(', ')
}

/** `sa shop/cart` for one, `3 pods` for several of a kind. */
export function crowd(subjects: readonly Subject[]): string {
  const distinct = distinctOf(subjects)
  const [first] = distinct
  if (first === undefined) return ''
  return distinct.length === 1 ? nameOf(first) : counted(distinct)
}

/** `400 pods: shop/cart-1, shop/cart-2, shop/cart-3 and 397 more`. */
export function crowdWithNames(subjects: readonly Subject[], most: number): string {
  const distinct = [...distinctOf(subjects)].sort(bySubject)
  const [first] = distinct
  if (distinct.length <= 1 || first === undefined) return crowd(distinct)
  const alone = distinct.every((subject) => subject.kind === first.kind)
  const names = distinct.slice(0, most + 2).map((subject) => {
    const name = nameOf(subject)
    return alone ? name.slice(name.indexOf(' ') + 1) : name
  })
  return `${counted(distinct)}: ${few(names, most, distinct.length)}`
}
