/** The pod that is judged, or the templates that stand for pods that nobody has seen. */
import { absent, defineProbe, type Fact, known, type Unknown } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { nameOf, type Pod } from '../../domain/workloads.ts'
import { workloadOf } from '../workload/namesakes.ts'
import { pod } from '../workload/pod.ts'
import { podsOfServiceAccount, templatesOfServiceAccount } from '../workload/pods.ts'

export type View = {
  /** The pod itself; left out where a ServiceAccount stands for pods that were not seen. */
  readonly born?: Pod
  /** The template of the pod's owner, or all templates of the ServiceAccount. */
  readonly templates: readonly Pod[]
  /** Templates of the ServiceAccount that no pod was seen of, such as of a CronJob between two runs; told to the first of its pods only. */
  readonly idle: readonly Pod[]
  /** Why not all templates could be looked at; told to the first of the pods only. */
  readonly unseen?: Unknown
  /** All pods of the ServiceAccount were seen, and there is none. */
  readonly noPods: boolean
}

type Brothers = { readonly first: string | undefined; readonly owners: ReadonlySet<string> }
const brothersOf = (pods: readonly Pod[]): Brothers => ({
  first: pods.map(({ name }) => name).sort()[0],
  owners: new Set(pods.map(workloadOf)),
})

/** The first of the pods by name and the workloads of all: found once, however many pods there are. */
const brothers = defineProbe({
  id: 'azure/pods-together',
  about: 'the workloads of the pods of the ServiceAccount',
  scope: 'service-account',
  needs: { podsOfServiceAccount },
  wants: {},
  only: 'podsOfServiceAccount',
  ask: ({ podsOfServiceAccount: { value, from } }): Fact<Brothers> => known(brothersOf(value.items), from),
})

/** Absent where the pod is gone or has ended. */
export const podView = defineProbe({
  id: 'azure/pod-view',
  about: 'the pod and its template',
  scope: 'pod',
  needs: {},
  wants: { pod, templatesOfServiceAccount, podsOfServiceAccount, brothers },
  ask: (_have, { pod, templatesOfServiceAccount, podsOfServiceAccount, brothers }): Fact<View> => {
    if (pod.state === 'absent') return absent(pod.from)
    const all = templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.items : []
    if (pod.state === 'known') {
      if (pod.value.phase === 'Succeeded' || pod.value.leaving) return absent(pod.from)
      const owner = workloadOf(pod.value)
      const { first, owners } = brothers.state === 'known' ? brothers.value : brothersOf([pod.value])
      const partly =
        templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.unseen : templatesOfServiceAccount
      const isFirst = first === pod.value.name
      // A Job that has ended leaves its template behind for good.
      const idle = isFirst ? all.filter((one) => one.kind !== 'Job' && !owners.has(workloadOf(one))) : []
      return known(
        {
          born: pod.value,
          templates: all.filter((one) => nameOf(one) === owner),
          idle,
          // Of documents none is the whole; what a cluster refuses may hold a template that is not labelled.
          ...(isFirst && partly?.state === 'unknown' && partly.why !== 'not-collected' ? { unseen: partly } : {}),
          noPods: false,
        },
        pod.from,
      )
    }
    const noPods =
      podsOfServiceAccount.state === 'known' &&
      podsOfServiceAccount.value.complete &&
      podsOfServiceAccount.value.items.length === 0
    const from = all.length > 0 ? templatesOfServiceAccount.from : kubernetes.list('pods')
    return known({ templates: all, idle: [], noPods }, from)
  },
})

/** The pod, or else the templates: what to judge one by one. */
export const toJudge = ({ born, templates }: View): readonly Pod[] => (born === undefined ? templates : [born])

/** Pods and templates of a ServiceAccount together. Never unknown. */
export const podsAndTemplates = defineProbe({
  id: 'azure/pods-and-templates',
  about: 'the pods and templates of the ServiceAccount',
  scope: 'service-account',
  needs: {},
  wants: { podsOfServiceAccount, templatesOfServiceAccount },
  ask: (
    _have,
    { podsOfServiceAccount, templatesOfServiceAccount },
  ): Fact<{ readonly pods: readonly Pod[]; readonly templates: readonly Pod[]; readonly podsWhole: boolean }> =>
    known(
      {
        pods: podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : [],
        templates: templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.items : [],
        podsWhole: podsOfServiceAccount.state === 'known' && podsOfServiceAccount.value.complete,
      },
      podsOfServiceAccount.from,
    ),
})
