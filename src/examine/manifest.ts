/** Which permissions a run needs: derived from the questions of its checks' probes, never written down. */
import type { Check } from '../core/check.ts'
import { absent, known, type Probe, type Source } from '../core/fact.ts'
import { asked } from '../knowledge/asked.ts'
import { notAskedLive, type Permission, permissionOf, resources, withWay } from '../knowledge/permissions.ts'
import { cluster } from '../probes/aws/cluster.ts'
import type { Selection } from '../probes/subject-lists.ts'
import { subjectsFor } from '../probes/subjects.ts'
import { errorShelves } from '../probes/workload/observed-errors.ts'
import { serviceAccount } from '../probes/workload/service-account.ts'
import { kindsOf } from './roster.ts'

export type Selected = Pick<Selection, 'targets' | 'selector'> & {
  readonly checks: readonly Check[]
  readonly allNamespaces: boolean
  /** Whether a token is minted and exchanged. */
  readonly exchange: boolean
  /** Whether shells may be started in pods. */
  readonly exec?: boolean
  /** Whether clouds are asked at all. */
  readonly clouds: boolean
}

/** One permission, the facts that it shows and the checks that ask for it; no check where every run asks. */
export type Needed = {
  readonly permission: Exclude<Permission, { readonly kind: 'none' }>
  readonly shows: readonly string[]
  readonly checks: readonly string[]
}

const fromLists: ReadonlySet<string> = new Set(asked.fromLists)
const minted = 'kubernetes serviceaccounts/token/create'
const looked = 'kubernetes pods/exec/create'

/** The head of a report names these for every run. */
const ofEveryRun: readonly Probe<unknown>[] = [serviceAccount, cluster, errorShelves]

/** All probes below these. */
function below(probes: Iterable<Probe<unknown>>): ReadonlySet<Probe<unknown>> {
  const found = new Set(probes)
  for (const probe of found)
    for (const next of [...Object.values(probe.needs), ...Object.values(probe.wants)]) found.add(next)
  return found
}

/** The kinds of questions with which a run finds out who is judged: they depend on what was typed, and on no answer. */
async function rosterKinds({ targets, selector, allNamespaces, checks }: Selected): Promise<readonly string[]> {
  const asked = new Set<string>()
  // In a cluster that serves every kind there is.
  const groups = Object.values(resources).map(({ group }) => ({ name: group }))
  const source: Source = {
    name: 'nobody',
    ask: (question) => {
      asked.add(`${question.system} ${question.call}`)
      return question.call === 'nonresource /apis/get' ? known({ groups }, question) : absent(question)
    },
  }
  const kinds = kindsOf(checks)
  await subjectsFor(source, { targets, allNamespaces, kinds, ...(selector === undefined ? {} : { selector }) })
  return [...asked]
}

/** The permission of a kind of question in a run; where all namespaces are looked at, lists stand for single objects. */
function permissionFor(kind: string, { allNamespaces, exchange, clouds }: Selected): Permission {
  const none: Permission = { kind: 'none' }
  const cut = kind.indexOf(' ')
  const system = kind.slice(0, cut)
  const call = kind.slice(cut + 1)
  if ((!exchange && kind === minted) || (!clouds && system !== 'kubernetes')) return none
  const permission = permissionOf({ system, call, input: {} })
  return permission.kind === 'rbac' &&
    allNamespaces &&
    permission.verb === 'get' &&
    resources[permission.resource]?.wide === true
    ? { ...permission, verb: 'list' }
    : permission
}

/** What a run needs, each permission once. `everybody`: nobody was named, so that the cluster itself is judged too. */
export async function manifestOf(selected: Selected): Promise<readonly Needed[]> {
  const everybody = selected.targets.length === 0
  const found = new Map<string, { permission: Needed['permission']; shows: Set<string>; checks: Set<string> }>()
  const need = (kind: string, shows: string, check?: string): void => {
    if ((notAskedLive.has(kind) && !(selected.exec === true && kind === looked)) || fromLists.has(kind)) return
    if (!selected.clouds && /^(?:aws|azure|gcp) /.test(kind)) return
    for (const one of withWay(kind)) {
      const permission = permissionFor(one, selected)
      if (permission.kind === 'none') continue
      const key = JSON.stringify(permission)
      const held = found.get(key) ?? { permission, shows: new Set(), checks: new Set() }
      found.set(key, held)
      held.shows.add(shows)
      if (check !== undefined) held.checks.add(check)
    }
  }
  const needProbes = (probes: Iterable<Probe<unknown>>, check?: string): void => {
    for (const { id, about } of below(probes)) {
      const kinds = asked.probes[id]
      for (const kind of kinds?.always ?? []) need(kind, about, check)
      if (everybody) for (const kind of kinds?.whole ?? []) need(kind, about, check)
    }
  }
  for (const kind of await rosterKinds(selected)) need(kind, 'who is judged')
  needProbes(ofEveryRun)
  for (const { meta, needs, wants, only } of selected.checks)
    needProbes([...Object.values(needs), ...Object.values(wants), ...(only === undefined ? [] : [only.probe])], meta.id)
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { permission, shows, checks }]) => ({ permission, shows: [...shows].sort(), checks: [...checks].sort() }))
}
