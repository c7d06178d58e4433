/** The pods and the pod templates of every namespace that is judged, in one reading each, shelved by ServiceAccount. */
import { defineProbe, type Fact, type Inquiry, known, type Question, type Soon, type Unknown } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type Listed, listed } from '../lists.ts'
import { readPod } from '../read-once.ts'

/** By namespace: the list's fact, and what is in it by the name of its ServiceAccount. */
export type Shelf = { readonly fact: Fact<Listed<Pod>>; readonly by: ReadonlyMap<string, readonly Pod[]> }
export type Shelves = ReadonlyMap<string, Shelf>

const namespacesOf = ({ subjects }: Inquiry): readonly string[] =>
  [
    ...new Set(
      subjects.flatMap(({ kind, namespace }) =>
        namespace !== undefined && (kind === 'ServiceAccount' || kind === 'Pod') ? namespace : [],
      ),
    ),
  ].sort()

function shelve(fact: Fact<Listed<Pod>>): Shelf {
  const by = new Map<string, Pod[]>()
  if (fact.state === 'known')
    for (const one of fact.value.items) {
      const shelf = by.get(one.serviceAccount)
      if (shelf === undefined) by.set(one.serviceAccount, [one])
      else shelf.push(one)
    }
  return { fact, by }
}

const shelves = (
  inquiry: Inquiry,
  look: (namespace: string) => Soon<Fact<Listed<Pod>>>,
  from: Question,
): Soon<Fact<Shelves>> => {
  const found = namespacesOf(inquiry).map((namespace) => [namespace, look(namespace)] as const)
  const finish = (facts: readonly (readonly [string, Fact<Listed<Pod>>])[]): Fact<Shelves> =>
    known(new Map(facts.map(([namespace, fact]) => [namespace, shelve(fact)])), from)
  const soon = found.some(([, fact]) => fact instanceof Promise)
  if (soon) return Promise.all(found.map(async ([namespace, fact]) => [namespace, await fact] as const)).then(finish)
  return finish(found.flatMap(([namespace, fact]) => (fact instanceof Promise ? [] : [[namespace, fact] as const])))
}

const list = (
  inquiry: Inquiry,
  resource: string,
  namespace: string,
  read: (item: Json) => Pod | undefined,
): Soon<Fact<Listed<Pod>>> => {
  const soon = inquiry.ask(kubernetes.list(resource, namespace))
  return soon instanceof Promise ? soon.then((fact) => listed(fact, read)) : listed(soon, read)
}

export const pods = defineProbe<Shelves>({
  id: 'cluster/pods',
  about: 'the pods',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    shelves(inquiry, (namespace) => list(inquiry, 'pods', namespace, readPod), kubernetes.list('pods')),
})

export const templateResources = ['deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs'] as const

/** All five kinds of a namespace as one list: unknown where any of them is, since a missing one may hold the answer. */
async function templates(inquiry: Inquiry, namespace: string): Promise<Fact<Listed<Pod>>> {
  const facts = await Promise.all(templateResources.map((resource) => list(inquiry, resource, namespace, readWorkload)))
  const items: Pod[] = []
  let complete = true
  let unseen: Unknown | undefined
  for (const fact of facts) {
    if (fact.state === 'known') {
      items.push(...fact.value.items)
      complete &&= fact.value.complete
    } else if (fact.state === 'unknown') {
      // What was refused says more than what nobody collected.
      if (unseen === undefined || unseen.why === 'not-collected') unseen = fact
      complete = false
    }
  }
  return items.length === 0 && unseen !== undefined
    ? unseen
    : known({ items, complete, ...(unseen === undefined ? {} : { unseen }) }, kubernetes.list('deployments', namespace))
}

export const podTemplates = defineProbe<Shelves>({
  id: 'cluster/pod-templates',
  about: 'the pod templates of Deployments, StatefulSets, DaemonSets, Jobs and CronJobs',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    shelves(inquiry, (namespace) => templates(inquiry, namespace), kubernetes.list('deployments')),
})
