/** Who is judged in a run: from targets by name, or everybody who has, or whose pods expect, a cloud identity. */
import type { Source } from '../core/fact.ts'
import { at } from '../core/json.ts'
import { clusterSubject, type Scope, type Subject } from '../core/subject.ts'
import { googleAnnotation } from '../domain/audiences.ts'
import { namedRole } from '../domain/identity-marks.ts'
import { labelSelector } from '../domain/label-selector.ts'
import { callTroubleIn } from '../domain/webhook-errors.ts'
import type { Meta, Pod } from '../domain/workloads.ts'
import { azureSubjects, identitiesNamed, ownersOf } from './azure/roster.ts'
import { standInKinds } from './further-kinds.ts'
import { googleSubjects, grantedIn, runsOnGke } from './gcp/roster.ts'
import { injectedBy } from './injected.ts'
import { nodesOf } from './nodes.ts'
import { type Chosen, take, takeAll } from './subject-choice.ts'
import { finished, itemsOf, keyOfAccount, type Lists, look, type Selection } from './subject-lists.ts'
import { readTarget } from './targets.ts'

/** `problems`: sentences for a person. */
export type Roster = { readonly subjects: readonly Subject[]; readonly problems: readonly string[] }

/** What is not understood of a selection, in sentences for a person; nothing has to be asked to know it. */
export function misunderstood({ targets, selector }: Pick<Selection, 'targets' | 'selector'>): readonly string[] {
  const words = targets.map(readTarget).filter((target) => typeof target === 'string')
  const read = selector === undefined ? undefined : labelSelector(selector)
  return read !== undefined && 'malformed' in read
    ? [
        ...words,
        `--selector: ${JSON.stringify(read.malformed)} is not understood; write for example app=cart or tier in (web,api)`,
      ]
    : words
}

/** Finds out who is to be judged. Lists that cannot be seen leave a stand-in, so that the report says what was not seen. */
export async function subjectsFor(source: Source, selection: Selection, signal?: AbortSignal): Promise<Roster> {
  const targets = selection.targets.map(readTarget).filter((target) => typeof target !== 'string')
  const selector = selection.selector === undefined ? undefined : labelSelector(selection.selector)
  const lists = await look(source, selection, signal)
  const chosen: Chosen = { accounts: new Map(), pods: new Map(), nodes: new Set(), missing: [] }
  const matches = (one: Meta): boolean =>
    selector === undefined || !('matches' in selector) || selector.matches(one.labels)
  for (const target of targets) take(chosen, target, lists, selection)
  if (targets.length === 0) takeAll(chosen, lists, matches, selection.documents === true)
  return roster(chosen, lists, targets.length === 0, selection)
}

/**
 * A folder with nothing in it but what some tool is configured by, and workloads without an identity: nobody with one was put there to be
 * looked at, and none is missed.
 */
const isOfTools = (
  { accounts, pods, roles, further, plans, errors, google }: Lists,
  { documents }: Selection,
): boolean =>
  documents === true &&
  further.subjects.length + plans > 0 &&
  // What a collector was refused is missed.
  [accounts, pods].every((fact) => fact.state === 'unknown' && fact.why === 'not-collected') &&
  roles.length === 0 &&
  !errors &&
  at(google.collected, 'gke') !== true

function roster(chosen: Chosen, lists: Lists, everybody: boolean, selection: Selection): Roster {
  const problems = chosen.missing.map((what) =>
    lists.pods.state === 'known' && lists.pods.value.complete
      ? `${what} does not exist${selection.namespace === undefined ? '' : ` in namespace ${selection.namespace}`}`
      : `${what} was not seen`,
  )
  const subjects: Subject[] = []
  const byAccount = new Map<string, Pod[]>()
  for (const pod of itemsOf(lists.pods)) {
    const key = keyOfAccount(pod.namespace, pod.serviceAccount)
    const shelf = byAccount.get(key)
    if (shelf === undefined) byAccount.set(key, [pod])
    else shelf.push(pod)
  }
  const owners = selection.documents === true ? ownersOf(lists.templates, keyOfAccount) : undefined
  const pods = new Map(chosen.pods)
  const roles = new Map<string, { readonly name: string; readonly of: string[] }>()
  const known = new Map(itemsOf(lists.accounts).map((one) => [keyOfAccount(one.namespace, one.name), one]))
  const granted = grantedIn(lists.google)
  const podsAreAll = lists.pods.state === 'known' && lists.pods.value.complete
  for (const [key, { namespace, name, allPods }] of chosen.accounts) {
    const own = (byAccount.get(key) ?? []).filter((pod) => !finished(pod))
    if (allPods) for (const pod of own) pods.set(`${pod.namespace}/${pod.name}`, pod)
    const seesPods = own.length > 0
    const stands: readonly Scope[] = seesPods || (podsAreAll && !lists.errors) ? [] : ['pod']
    const of = [
      ...identitiesNamed(known.get(key), lists.azure),
      // It stands for what those would make.
      ...(stands.length > 0 ? (owners?.get(key) ?? []) : []),
    ]
    subjects.push({
      kind: 'ServiceAccount',
      namespace,
      name,
      ...(of.length > 0 ? { of } : {}),
      ...(stands.length > 0 ? { standsFor: stands } : {}),
    })
    const role = namedRole(known.get(key)) ?? own.map((pod) => namedRole(pod)).find((one) => one !== undefined)
    if (role !== undefined) {
      const before = roles.get(role)
      if (before === undefined) roles.set(role, { name: role, of: [key] })
      else before.of.push(key)
    }
  }
  for (const name of lists.roles) if (!roles.has(name)) roles.set(name, { name, of: [] })
  for (const pod of pods.values())
    subjects.push({
      kind: 'Pod',
      namespace: pod.namespace,
      name: pod.name,
      of: [keyOfAccount(pod.namespace, pod.serviceAccount)],
    })
  const listedNodes = lists.nodes === undefined ? [] : itemsOf(lists.nodes)
  const nodes = nodesOf(new Set([...chosen.nodes, ...listedNodes, ...lists.machines]), [...pods.values()], (pod) =>
    runsOnGke(pod, known),
  )
  subjects.push(...nodes)
  for (const { name, of } of roles.values()) subjects.push({ kind: 'Role', name, of })
  subjects.push(...googleSubjects(lists.google, subjects, known, pods.values()))
  for (const one of lists.injectors) {
    const of = injectedBy(one, subjects, itemsOf(lists.accounts))
    if (of.length > 0 || everybody) subjects.push({ kind: 'MutatingWebhookConfiguration', name: one.name, of })
  }

  const users = everybody
    ? [...itemsOf(lists.pods).filter((pod) => !finished(pod)), ...lists.templates]
    : [
        ...pods.values(),
        ...lists.templates.filter((one) => chosen.accounts.has(keyOfAccount(one.namespace, one.serviceAccount))),
      ]
  subjects.push(...azureSubjects(lists.azure, subjects, users))
  for (const { namespace, name } of lists.services) subjects.push({ kind: 'Service', namespace, name })
  subjects.push(...lists.further.subjects)
  const spoken = lists.injectors.length === 0 && lists.said.some((text) => callTroubleIn(text) !== undefined)
  const kinds = everybody
    ? [...standInKinds(lists.further, lists.said), ...(spoken ? ['MutatingWebhookConfiguration'] : [])]
    : []

  // Nobody finer was seen although somebody may be there: the cluster answers for them, with what an error text says or with unknown.
  const blind = lists.accounts.state !== 'known' || !lists.accounts.value.complete || lists.errors
  const blindTo =
    chosen.accounts.size === 0 && (everybody ? blind && !isOfTools(lists, selection) : chosen.missing.length > 0)
  // A text that names no node is that of the only one, or nobody's; and nodes that cannot be listed are not nodes that are not there.
  const unlisted = selection.documents !== true && lists.nodes?.state === 'unknown'
  const blindToNodes = nodes.length === 0 ? blindTo || lists.errors || unlisted : lists.errors && nodes.length > 1
  const standsFor: readonly Scope[] = [
    ...(blindTo ? (['service-account', 'pod'] as const) : []),
    ...(blindToNodes ? (['node'] as const) : []),
    ...(lists.azure.ofObjects ? (['object'] as const) : []),
  ]
  // The node pools of a bound ServiceAccount matter also where its pods, and so their nodes, were not seen.
  const ofGoogle =
    at(lists.google.collected, 'gke') === true ||
    [...chosen.accounts.keys()].some(
      (key) => known.get(key)?.annotations[googleAnnotation] !== undefined || granted.has(key),
    )
  const ofNodes: readonly Scope[] = ofGoogle && nodes.length === 0 && !standsFor.includes('node') ? ['node'] : []
  // A text alone may be about a thing that nobody named.
  const answers: readonly Scope[] = [...standsFor, ...ofNodes, ...(lists.errors ? (['object'] as const) : [])]
  subjects.unshift({
    ...clusterSubject,
    ...(answers.length > 0 ? { standsFor: answers } : {}),
    ...(kinds.length > 0 ? { standsForKinds: kinds } : {}),
    ...(everybody || selection.documents === true ? { whole: true } : {}),
  })
  return { subjects, problems }
}
