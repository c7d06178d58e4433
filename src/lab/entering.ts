/** What a case says of who enters its EKS cluster: access entries and node groups, as EKS lists and describes them. */
import { isList, isObject, type JsonObject, textAt, textsAt } from '../core/json.ts'

export type EntryShelf = {
  /** The calls by which IAM lets it be seen. */
  readonly list: string
  readonly describe: string
  readonly plural: string
  readonly singular: string
  /** Left out where the case does not show them. */
  readonly names?: readonly string[]
  readonly described: ReadonlyMap<string, JsonObject>
}
export type Entering = {
  readonly entries: EntryShelf
  readonly groups: EntryShelf
  /** The access policies of entries, by principal; left out where the case does not show them. */
  readonly policies: ReadonlyMap<string, readonly JsonObject[]>
}

function shelfOf(
  values: readonly JsonObject[],
  { plural, singular, key }: { readonly plural: string; readonly singular: string; readonly key: string },
): Pick<EntryShelf, 'plural' | 'singular' | 'names' | 'described'> {
  const described = new Map<string, JsonObject>()
  const names = new Set<string>()
  let shown = false
  for (const value of values) {
    const one = value[singular]
    const name = isObject(one) ? textAt(one, key) : undefined
    if (isObject(one) && name !== undefined) described.set(name, one)
    if (isList(value[plural])) {
      shown = true
      for (const listed of textsAt(value, plural)) names.add(listed)
    }
  }
  for (const name of described.keys()) names.add(name)
  return { plural, singular, described, ...(shown || described.size > 0 ? { names: [...names] } : {}) }
}

export const enteringIn = (values: readonly JsonObject[]): Entering => ({
  policies: new Map(
    values.flatMap((value) => {
      const principal = textAt(value, 'principalArn')
      return principal === undefined || !isList(value.associatedAccessPolicies)
        ? []
        : [[principal, value.associatedAccessPolicies.filter(isObject)] as const]
    }),
  ),
  entries: {
    list: 'eks:ListAccessEntries',
    describe: 'eks:DescribeAccessEntry',
    ...shelfOf(values, { plural: 'accessEntries', singular: 'accessEntry', key: 'principalArn' }),
  },
  groups: {
    list: 'eks:ListNodegroups',
    describe: 'eks:DescribeNodegroup',
    ...shelfOf(values, { plural: 'nodegroups', singular: 'nodegroup', key: 'nodegroupName' }),
  },
})
