/** Who is judged in a run: from targets by name, or everybody who has, or whose pods expect, a cloud identity. */
import { type Fact, type Question, type Source, unknown } from '../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { clusterSubject, keyOfSubject, type Scope, type Subject } from '../core/subject.ts'
import { googleAnnotation } from '../domain/audiences.ts'
import { namedRole, namesIdentity, podExpectsIdentity } from '../domain/identity-marks.ts'
import { labelSelector } from '../domain/label-selector.ts'
import { aws, kubernetes, seen } from '../domain/questions.ts'
import { type Configuration, injectorsOf, readConfiguration } from '../domain/webhooks.ts'
import {
  type Meta,
  type Pod,
  readPod,
  readServiceAccount,
  readWorkload,
  type ServiceAccount,
} from '../domain/workloads.ts'
import { type AzureObjects, azureObjects, azureSubjects, identitiesNamed, ownersOf } from './azure/roster.ts'
import { templateResources } from './cluster/pods.ts'
import { type AwsService, isController, readAwsService } from './eks/services.ts'
import { type Further, furtherSubjects, standInKinds } from './further-kinds.ts'
import { type GoogleRoster, googleSubjects, grantedIn, lookForGoogle, runsOnGke } from './gcp/roster.ts'
import { injectedBy } from './injected.ts'
import { type Listed, listed } from './lists.ts'
import { machineNames, nodesIn, nodesOf } from './nodes.ts'
import { readTarget, type Target } from './targets.ts'

export type Selection = {
  readonly targets: readonly string[]
  /** The namespace to look in; without it, and with allNamespaces, everywhere. */
  readonly namespace?: string
  readonly allNamespaces?: boolean
  /** Label selector over ServiceAccounts and pods. */
  readonly selector?: string
  /** The source is a folder: what is in it was put there to be looked at. */
  readonly documents?: boolean
  /** Kinds of objects that the checks of the run judge; left out, all that there are. */
  readonly kinds?: ReadonlySet<string>
}

/** `problems`: sentences for a person. */
export type Roster = { readonly subjects: readonly Subject[]; readonly problems: readonly string[] }

type Lists = {
  readonly accounts: Fact<Listed<ServiceAccount>>
  readonly pods: Fact<Listed<Pod>>
  readonly templates: readonly Pod[]
  readonly errors: boolean
  /** What the error texts say. */
  readonly said: readonly string[]
  /** Of further kinds; none where somebody was named. */
  readonly further: Further
  readonly associated: ReadonlySet<string>
  readonly roles: readonly string[]
  /** Those that ask for an AWS load balancer; none where somebody was named. */
  readonly services: readonly AwsService[]
  /** All that were collected, or, of a whole live cluster, those of AWS; not asked for where somebody was named. */
  readonly nodes?: Fact<Listed<string>>
  /** Names of the nodes whose machines were collected: a node may be missing beside them. */
  readonly machines: readonly string[]
  /** Those that inject an identity. */
  readonly injectors: readonly Configuration[]
  readonly azure: AzureObjects
  readonly google: GoogleRoster
}

const itemsOf = <T>(fact: Fact<Listed<T>>): readonly T[] => (fact.state === 'known' ? fact.value.items : [])
const keyOfAccount = (namespace: string, name: string): string =>
  keyOfSubject({ kind: 'ServiceAccount', namespace, name })
/** It does nothing any more, or soon will not. */
const finished = ({ phase, leaving }: Pod): boolean => leaving || phase === 'Succeeded' || phase === 'Failed'

async function look(
  source: Source,
  { namespace, allNamespaces, documents, targets, selector, kinds }: Selection,
  signal: AbortSignal | undefined,
): Promise<Lists> {
  const ask = async (question: Question): Promise<Fact<Json>> =>
    signal?.aborted
      ? unknown('cancelled', 'the run was stopped before this was asked', question)
      : source.ask(question, signal)
  const list = async <T>(resource: string, read: (item: Json) => T | undefined) =>
    listed(await ask(kubernetes.list(resource, namespace)), read)
  const everything = targets.length === 0 && selector === undefined
  const [
    accounts,
    pods,
    errors,
    associations,
    roles,
    services,
    nodes,
    machines,
    webhooks,
    further,
    google,
    ...templates
  ] = await Promise.all([
    list('serviceaccounts', readServiceAccount),
    list('pods', readPod),
    ask(seen.errors()),
    ask(aws.podIdentityAssociations()),
    documents ? ask(aws.roles()) : undefined,
    everything ? ask(kubernetes.list('services', namespace)) : undefined,
    everything && (documents || allNamespaces) ? ask(kubernetes.list('nodes')) : undefined,
    everything && documents ? ask(aws.instances()) : undefined,
    ask(kubernetes.list('mutatingwebhookconfigurations')),
    everything ? furtherSubjects({ namespace, documents: documents === true, kinds, ask }) : undefined,
    lookForGoogle(ask, documents === true),
    ...templateResources.map((resource) => list(resource, readWorkload)),
  ])
  const associated = associations.state === 'known' ? listAt(associations.value, 'associations') : []
  return {
    azure: await azureObjects(ask, errors, documents === true, namespace),
    accounts,
    pods,
    google,
    templates: templates.flatMap(itemsOf),
    errors: errors.state === 'known' && listAt(errors.value, 'errors').length > 0,
    said: errors.state === 'known' ? listAt(errors.value, 'errors').flatMap((one) => textAt(one, 'text') ?? []) : [],
    further: further ?? { subjects: [], unseen: [] },
    associated: new Set(
      associated.flatMap((one) => {
        const where = textAt(one, 'namespace')
        const name = textAt(one, 'serviceAccount')
        return where === undefined || name === undefined ? [] : keyOfAccount(where, name)
      }),
    ),
    roles:
      roles?.state === 'known'
        ? listAt(roles.value, 'Roles').flatMap((role) => (isObject(role) ? (textAt(role, 'RoleName') ?? []) : []))
        : [],
    services:
      services?.state === 'known' ? listAt(services.value, 'items').flatMap((one) => readAwsService(one) ?? []) : [],
    ...(nodes === undefined ? {} : { nodes: nodesIn(nodes, documents === true) }),
    machines: machines?.state === 'known' ? machineNames(machines.value) : [],
    injectors: itemsOf(listed(webhooks, readConfiguration)).filter((one) => injectorsOf(one).length > 0),
  }
}

/** What is chosen so far: ServiceAccounts by key, and pods either all of a ServiceAccount's or one by one. */
type Chosen = {
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

function take(chosen: Chosen, target: Target, lists: Lists, { namespace }: Selection): void {
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
  const bound = itemsOf(lists.accounts).filter(({ annotations }) => annotations[googleAnnotation] !== undefined)
  const idle = bound.filter(
    (one) => !users.some((pod) => pod.namespace === one.namespace && pod.serviceAccount === one.name),
  )
  const spaces = new Set(idle.map(({ namespace }) => namespace))
  const names = new Set(idle.map(({ name }) => name))
  return itemsOf(lists.pods)
    .filter((pod) => (spaces.has(pod.namespace) || names.has(pod.serviceAccount)) && !finished(pod))
    .slice(0, 20)
}

function takeAll(chosen: Chosen, lists: Lists, matches: (one: Meta) => boolean, documents: boolean): void {
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
  subjects.push(...googleSubjects(lists.google, subjects, known))
  for (const one of lists.injectors) {
    const of = injectedBy(one, subjects, itemsOf(lists.accounts))
    if (of.length > 0 || everybody) subjects.push({ kind: 'MutatingWebhookConfiguration', name: one.name, of })
  }

  subjects.push(...azureSubjects(lists.azure, subjects))
  for (const { namespace, name } of lists.services) subjects.push({ kind: 'Service', namespace, name })
  subjects.push(...lists.further.subjects)
  const kinds = everybody ? standInKinds(lists.further, lists.said) : []

  // Nobody finer was seen although somebody may be there: the cluster answers for them, with what an error text says or with unknown.
  const blind = lists.accounts.state !== 'known' || !lists.accounts.value.complete || lists.errors
  const blindTo = chosen.accounts.size === 0 && (everybody ? blind : chosen.missing.length > 0)
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
