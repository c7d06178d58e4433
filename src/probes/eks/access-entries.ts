/** The access entries of the EKS cluster, each as far as it was described. */
import { absent, defineProbe, type Fact, known, type Unknown } from '../../core/fact.ts'
import { at, isObject, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'
import { isUncollected } from './aws-auth.ts'
import { mode } from './mode.ts'

export type AccessEntry = {
  /** As EKS keeps it, with path. */
  readonly principal: string
  /** Left out where only its name was seen. */
  readonly described?: {
    readonly type: string
    readonly groups: readonly string[]
    readonly username?: string
    readonly tags: JsonObject
    /** Milliseconds since 1970. */
    readonly created?: number
  }
  readonly unseen?: Unknown
}

export type AccessEntries = { readonly entries: readonly AccessEntry[]; readonly complete: boolean }

const mostDescribed = 200

/** The command line prints ISO 8601 or, by an older default, seconds since 1970. */
export const timeOf = (raw: Json | undefined): number | undefined => {
  const time = typeof raw === 'number' ? raw * 1000 : typeof raw === 'string' ? Date.parse(raw) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const read = (principal: string, answer: Fact<Json>): AccessEntry => {
  if (answer.state === 'unknown') return { principal, unseen: answer }
  if (answer.state === 'absent') return { principal }
  const entry = at(answer.value, 'accessEntry')
  const created = timeOf(at(entry, 'createdAt'))
  const [username, tags] = [textAt(entry, 'username'), at(entry, 'tags')]
  return {
    principal,
    described: {
      type: textAt(entry, 'type') ?? 'STANDARD',
      groups: textsAt(entry, 'kubernetesGroups'),
      tags: isObject(tags) ? tags : {},
      ...(username === undefined ? {} : { username }),
      ...(created === undefined ? {} : { created }),
    },
  }
}

/** Absent where there can be none, or nobody asked about the cluster; unknown where they were not seen. */
export const accessEntries = defineProbe({
  id: 'eks/access-entries',
  about: 'the access entries of the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: { mode },
  ask: async (_have, { mode }, { subject, ask }): Promise<Fact<AccessEntries>> => {
    const question = aws.accessEntries()
    if (subject.whole !== true || (mode.state === 'known' && mode.value === 'CONFIG_MAP')) return absent(question)
    const list = await ask(question)
    // A description without a mode is older than access entries, or cut.
    if (list.state !== 'known') return mode.state === 'absent' ? absent(question) : list
    const principals = textsAt(list.value, 'accessEntries')
    const entries = await Promise.all(
      principals
        .slice(0, mostDescribed)
        .map(async (principal) => read(principal, await ask(aws.accessEntry(principal)))),
    )
    const complete = at(list.value, 'complete') !== false && principals.length <= mostDescribed
    return known({ entries, complete }, list.from)
  },
})

/** The same, absent also where nobody collected them. */
export const shownEntries = defineProbe({
  id: 'eks/shown-access-entries',
  about: 'the access entries of the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: { accessEntries },
  ask: (_have, { accessEntries }): Fact<AccessEntries> =>
    isUncollected(accessEntries) ? absent(accessEntries.from) : accessEntries,
})
