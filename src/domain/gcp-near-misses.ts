/** How a member of a policy misses a workload by a little: pool, case, namespace, name, subject or attribute. */
import { namedBy, readPoolMember, type Workload } from './gcp-members.ts'

export type Near = {
  readonly message:
    | 'pool-differs'
    | 'case-differs'
    | 'namespace-differs'
    | 'name-differs'
    | 'subject-differs'
    | 'attribute-not-mapped'
  readonly trusted: string
  readonly actual: string
}

/** How a member misses the workload by a little. */
export function nearMiss(member: string, workload: Workload, mapped: readonly string[] | undefined): Near | undefined {
  const { namespace, name, pool } = workload
  const named = namedBy(member)
  const own = readPoolMember(member)
  if (own !== undefined && workload.mapped !== undefined && own.pool === workload.mapped.pool) {
    const attribute = /^(attribute\.[^/]+)\//.exec(own.selector)?.[1]
    const read = own.selector.startsWith('group/') ? 'google.groups' : attribute
    if (read !== undefined && mapped !== undefined && !mapped.includes(read))
      return { message: 'attribute-not-mapped', trusted: read, actual: '' }
    if (
      own.selector.startsWith('subject/') &&
      workload.mapped.subject !== undefined &&
      own.number === workload.mapped.number
    )
      return {
        message: 'subject-differs',
        trusted: own.selector.slice('subject/'.length),
        actual: workload.mapped.subject,
      }
  }
  if (named === undefined) return undefined
  const same = named.namespace === namespace && named.name === name
  if (same && pool !== undefined && named.pool !== pool)
    return { message: 'pool-differs', trusted: named.pool, actual: pool }
  const lower = (text: string): string => text.toLowerCase()
  if (!same && lower(named.namespace) === lower(namespace) && lower(named.name) === lower(name))
    return { message: 'case-differs', trusted: `${named.namespace}/${named.name}`, actual: `${namespace}/${name}` }
  if (named.name === name && named.namespace !== namespace)
    return { message: 'namespace-differs', trusted: named.namespace, actual: namespace }
  if (named.namespace === namespace && named.name !== name)
    return { message: 'name-differs', trusted: named.name, actual: name }
  return undefined
}
/** Which of several tells most, first. */
export const nearest = [
  'pool-differs',
  'case-differs',
  'namespace-differs',
  'name-differs',
  'subject-differs',
  'attribute-not-mapped',
] as const
