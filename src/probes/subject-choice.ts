/** Whom a run judges: what a target names, or everybody who has, or whose pods expect, a cloud identity. */
import { googleAnnotation } from '../domain/audiences.ts'
import { partsOf } from '../domain/azure-credentials.ts'
import { quotedIn } from '../domain/azure-errors.ts'
import { namesIdentity, podExpectsIdentity } from '../domain/identity-marks.ts'
import type { Meta, Pod } from '../domain/workloads.ts'
import { isController } from './eks/services.ts'
import { grantedIn } from './gcp/roster.ts'
import { finished, itemsOf, keyOfAccount, type Lists, type Selection } from './subject-lists.ts'
import type { Target } from './targets.ts'

/** What is chosen so far: ServiceAccounts by key, and pods either all of a ServiceAccount's or one by one. */
export type Chosen = {
  readonly accounts: Map<string, { readonly namespace: string; readonly name: string; allPods: boolean }>
  readonly pods: Map<string, Pod>
  readonly nodes: Set<string>
  readonly missing: string[]
}

const choose = (chosen: Chosen, namespace: string, name: string, allPods: boolean): void => {
  const key = keyOfAccount(namespace, name)
  const before = chosen.accounts.get(key)
  if (before === undefined) chosen.accounts.set(key, { namespace, name, allPods })
  else before.allPods ||= allPods
}
const choosePod = (chosen: Chosen, pod: Pod): void => {
  choose(chosen, pod.namespace, pod.serviceAccount, false)
  chosen.pods.set(`${pod.namespace}/${pod.name}`, pod)
}

/** Whether a pod was made by a workload, by its owner: a Deployment's pods belong to its ReplicaSet, a CronJob's to its Job. */
const madeBy = (pod: Pod, kind: string, name: string): boolean => {
  const owner = pod.owner
  if (owner === undefined) return false
  if (owner.kind === kind && owner.name === name) return true
  const between = kind === 'Deployment' ? 'ReplicaSet' : kind === 'CronJob' ? 'Job' : undefined
  return owner.kind === between && owner.name.startsWith(`${name}-`) && !owner.name.slice(name.length + 1).includes('-')
}

/** Takes what a target names. */
export function take(chosen: Chosen, target: Target, lists: Lists, { namespace }: Selection): void {
  const { kind, name } = target
  const named = <T extends Meta>(items: readonly T[]) => items.filter((one) => one.name === name)
  if (kind === 'ServiceAccount') {
    const seen = named(itemsOf(lists.accounts)).map((one) => one.namespace)
    const used = [...itemsOf(lists.pods), ...lists.templates]
      .filter((pod) => pod.serviceAccount === name)
      .map((pod) => pod.namespace)
    const where = new Set(seen.length > 0 ? seen : used.length > 0 ? used : [namespace ?? 'default'])
    for (const one of where) choose(chosen, one, name, true)
  } else if (kind === 'Pod') {
    const pods = named(itemsOf(lists.pods))
    for (const pod of pods) choosePod(chosen, pod)
    if (pods.length === 0) chosen.missing.push(`pod/${name}`)
  } else if (kind === 'Node') {
    chosen.nodes.add(name)
    for (const pod of itemsOf(lists.pods)) if (pod.node === name && podExpectsIdentity(pod)) choosePod(chosen, pod)
  } else {
    const templates = named(lists.templates).filter((one) => one.kind === kind)
    const pods = itemsOf(lists.pods).filter((pod) => madeBy(pod, kind, name) && !finished(pod))
    for (const one of templates) choose(chosen, one.namespace, one.serviceAccount, pods.length === 0)
    for (const pod of pods) choosePod(chosen, pod)
    if (templates.length === 0 && pods.length === 0) chosen.missing.push(`${kind.toLowerCase()}/${name}`)
  }
}

/** Pods beside a ServiceAccount that is bound to Google and that nobody runs as: they may have been meant to. */
function besideTheBound(lists: Lists, users: readonly Pod[]): readonly Pod[] {
  const granted = grantedIn(lists.google)
  const bound = itemsOf(lists.accounts).filter(
    ({ annotations, namespace, name }) =>
      annotations[googleAnnotation] !== undefined || granted.has(keyOfAccount(namespace, name)),
  )
  const idle = bound.filter(
    (one) => !users.some((pod) => pod.namespace === one.namespace && pod.serviceAccount === one.name),
  )
  const spaces = new Set(idle.map(({ namespace }) => namespace))
  const names = new Set(idle.map(({ name }) => name))
  return itemsOf(lists.pods)
    .filter((pod) => (spaces.has(pod.namespace) || names.has(pod.serviceAccount)) && !finished(pod))
    .slice(0, 20)
}

/** Takes everybody who has, or whose pods expect, a cloud identity. */
export function takeAll(chosen: Chosen, lists: Lists, matches: (one: Meta) => boolean, documents: boolean): void {
  const users = [...itemsOf(lists.pods).filter((pod) => !finished(pod)), ...lists.templates]
  const granted = grantedIn(lists.google)
  for (const one of itemsOf(lists.accounts)) {
    const key = keyOfAccount(one.namespace, one.name)
    if (matches(one) && (namesIdentity(one) || lists.associated.has(key) || granted.has(key)))
      choose(chosen, one.namespace, one.name, true)
  }
  for (const pod of users)
    if (matches(pod) && podExpectsIdentity(pod)) choose(chosen, pod.namespace, pod.serviceAccount, true)
  // It needs a role even where nobody has given it one.
  for (const one of lists.templates)
    if (matches(one) && one.kind === 'Deployment' && isController(one))
      choose(chosen, one.namespace, one.serviceAccount, true)
  // What mounts a store was put there for that, whatever its identity.
  if (documents && chosen.accounts.size === 0) {
    for (const pod of itemsOf(lists.pods))
      if (matches(pod) && !finished(pod) && pod.storage !== undefined) choosePod(chosen, pod)
    for (const one of lists.templates)
      if (matches(one) && one.storage !== undefined) choose(chosen, one.namespace, one.serviceAccount, true)
  }
  // Entra quotes whose token it refuses, whatever else was put there of it.
  if (documents)
    for (const text of lists.said) {
      const quoted = partsOf(quotedIn(text).subject ?? '')
      if (quoted !== undefined) choose(chosen, quoted.namespace, quoted.name, true)
    }
  // A folder with an error text and a ServiceAccount without any mark: that is the one the text is about.
  if (documents && lists.errors && chosen.accounts.size === 0)
    for (const one of itemsOf(lists.accounts).filter(matches).slice(0, 20))
      choose(chosen, one.namespace, one.name, true)
  if (documents) for (const pod of besideTheBound(lists, users)) if (matches(pod)) choosePod(chosen, pod)
  // Likewise of pods, where not even a ServiceAccount was put there.
  if (documents && lists.errors && chosen.accounts.size === 0)
    for (const pod of itemsOf(lists.pods)
      .filter((one) => matches(one) && !finished(one) && one.namespace !== 'kube-system')
      .slice(0, 20))
      choosePod(chosen, pod)
}
