/** Who runs as the ServiceAccount, and who else runs beside it. */
import { defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from '../../domain/audiences.ts'
import { podExpectsIdentity } from '../../domain/identity-marks.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Meta, Pod } from '../../domain/workloads.ts'
import { type Listed, listed } from '../lists.ts'
import { readServiceAccount } from '../read-once.ts'
import { workloadOf } from './namesakes.ts'
import { podsOfNamespace, podsOfServiceAccount, templatesOfNamespace, templatesOfServiceAccount } from './pods.ts'
import { serviceAccount } from './service-account.ts'

/** What binds the account to an identity, as a person would name it; undefined where nothing does. */
export const identityOf = ({ annotations }: Pick<Meta, 'annotations'>): string | undefined =>
  [roleAnnotation, azureClientAnnotation, googleAnnotation].map((key) => annotations[key]).find(Boolean)

export type Neighbour = {
  /** `deployment/cart`. */
  readonly workload: string
  readonly serviceAccount: string
  /** It asks for an identity by itself: a variable, a label, a token volume. */
  readonly expectsIdentity: boolean
  /** A Job, or a pod of one, that may have ended long ago. */
  readonly passing: boolean
}
export type Users = {
  readonly users: readonly string[]
  /** Workloads that run as somebody else; looked through only by who asks, since each has all others for neighbours. */
  readonly others: () => readonly Neighbour[]
  /** Whether all pods and templates of the namespace were seen. */
  readonly complete: boolean
  /** Accounts of the namespace that are bound to an identity, and those that are seen not to be. */
  readonly bound: readonly string[]
  readonly unbound: readonly string[]
}

const itemsOf = (fact: Fact<Listed<Pod>>): readonly Pod[] => (fact.state === 'known' ? fact.value.items : [])
const ended = ({ phase }: Pod): boolean => phase === 'Succeeded' || phase === 'Failed'
/** Static pods are the kubelet's own. */
const isMirror = ({ owner, annotations }: Pod): boolean =>
  owner?.kind === 'Node' || annotations['kubernetes.io/config.mirror'] !== undefined

function neighboursOf(pods: readonly Pod[], name: string): readonly Neighbour[] {
  const found = new Map<string, Neighbour>()
  for (const pod of pods) {
    if (pod.serviceAccount === name || ended(pod) || isMirror(pod)) continue
    const workload = workloadOf(pod)
    const before = found.get(workload)
    found.set(workload, {
      workload,
      serviceAccount: pod.serviceAccount,
      expectsIdentity: podExpectsIdentity(pod) || before?.expectsIdentity === true,
      passing: workload.startsWith('job/'),
    })
  }
  return [...found.values()].sort((a, b) => (a.workload < b.workload ? -1 : 1))
}

export const users = defineProbe({
  id: 'workload/users',
  about: 'who runs as the ServiceAccount, and who runs beside it',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { podsOfNamespace, templatesOfNamespace, podsOfServiceAccount, templatesOfServiceAccount },
  only: 'serviceAccount',
  ask: ({ serviceAccount }, want, inquiry): Soon<Fact<Users>> => {
    const { name, namespace } = serviceAccount.value
    const { podsOfNamespace, templatesOfNamespace, podsOfServiceAccount, templatesOfServiceAccount } = want
    const lists = [templatesOfNamespace, podsOfNamespace]
    const own = [templatesOfServiceAccount, podsOfServiceAccount].flatMap(itemsOf)
    const users = [...new Set(own.map(workloadOf))].sort()
    const unseen = lists.find((fact) => fact.state === 'unknown')
    if (unseen !== undefined && lists.every((fact) => itemsOf(fact).length === 0)) return unseen
    const complete = lists.every((fact) => fact.state === 'known' && fact.value.complete)
    const others = () => neighboursOf(lists.flatMap(itemsOf), name)
    const question = kubernetes.list('serviceaccounts', namespace)
    if (users.length > 0 || identityOf(serviceAccount.value) === undefined) {
      const bound = identityOf(serviceAccount.value) === undefined ? [] : [name]
      return known({ users, others, complete, bound, unbound: [] }, podsOfNamespace.from)
    }
    return onward(inquiry.ask(question), (fact): Fact<Users> => {
      const accounts = listed(fact, readServiceAccount)
      // Who else is there to be meant was not seen.
      if (accounts.state === 'unknown') return accounts
      const items = accounts.state === 'known' ? accounts.value.items : [serviceAccount.value]
      return known(
        {
          users,
          others,
          complete: complete && accounts.state === 'known' && accounts.value.complete,
          bound: items.filter((one) => identityOf(one) !== undefined).map((one) => one.name),
          unbound: items.filter((one) => identityOf(one) === undefined).map((one) => one.name),
        },
        podsOfNamespace.from,
      )
    })
  },
})
