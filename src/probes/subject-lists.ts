/** What is looked up to know who is judged in a run: ServiceAccounts, pods, templates, nodes and all that gives somebody an identity. */
import { type Fact, type Question, type Source, unknown } from '../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../core/json.ts'
import { keyOfSubject } from '../core/subject.ts'
import { aws, documents as documentsOf, kubernetes, seen } from '../domain/questions.ts'
import { type Configuration, injectorsOf, readConfiguration } from '../domain/webhooks.ts'
import { readPod, readServiceAccount, readWorkload } from '../domain/workload-objects.ts'
import type { Pod, ServiceAccount } from '../domain/workloads.ts'
import { type AzureObjects, azureObjects } from './azure/roster.ts'
import { templateResources } from './cluster/pods.ts'
import { type AwsService, readAwsService } from './eks/services.ts'
import { type Further, furtherSubjects } from './further-kinds.ts'
import { type GoogleRoster, lookForGoogle } from './gcp/roster.ts'
import { type Listed, listed } from './lists.ts'
import { machineNames, nodesIn } from './nodes.ts'

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

export type Lists = {
  readonly accounts: Fact<Listed<ServiceAccount>>
  readonly pods: Fact<Listed<Pod>>
  readonly templates: readonly Pod[]
  readonly errors: boolean
  /** What the error texts say. */
  readonly said: readonly string[]
  /** Of further kinds; none where somebody was named. */
  readonly further: Further
  /** How many plans of installers were collected, which are no objects. */
  readonly plans: number
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

export const itemsOf = <T>(fact: Fact<Listed<T>>): readonly T[] => (fact.state === 'known' ? fact.value.items : [])
export const keyOfAccount = (namespace: string, name: string): string =>
  keyOfSubject({ kind: 'ServiceAccount', namespace, name })
/** It does nothing any more, or soon will not. */
export const finished = ({ phase, leaving }: Pod): boolean => leaving || phase === 'Succeeded' || phase === 'Failed'

/** Asks for everything that tells who there is, at once. */
export async function look(
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
    plans,
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
    everything && documents ? ask(documentsOf.ofKind('KetPlan')) : undefined,
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
    plans: plans?.state === 'known' ? listAt(plans.value, 'items').length : 0,
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
