/** What decides why a pod was not injected; looked at only for a pod that lacks its identity. */
import { absent, defineProbe, type Fact, known, type Soon } from '../../core/fact.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { injectedInto } from '../../domain/aws-injection.ts'
import { type InjectionHistory, injectionFault } from '../../domain/aws-injection-fault.ts'
import { type Pod, writtenAt } from '../../domain/workloads.ts'
import { pod } from '../workload/pod.ts'
import { podsOfServiceAccount, templatesOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { association } from './association.ts'
import { roleReference } from './role-reference.ts'
import { podIdentityWebhook, webhookFlags, webhookMap } from './webhook.ts'

export const unseenHistory = { mapKeys: [], siblingsInjected: false, misses: false } as const satisfies InjectionHistory

/** Never unknown: what was not seen only leaves the cause less exact. Absent for a pod that has its identity. */
export const injectionHistory = defineProbe({
  id: 'aws/injection-history',
  about: 'when the binding, the webhook and the pod came to be',
  scope: 'pod',
  needs: {},
  wants: { pod, serviceAccount, roleReference, association, podsOfServiceAccount },
  ask: (
    _have,
    { pod, serviceAccount, roleReference, association, podsOfServiceAccount },
    inquiry,
  ): Soon<Fact<InjectionHistory>> => {
    if (pod.state !== 'known') return absent(pod.from)
    const bound =
      roleReference.state === 'known' ? { via: roleReference.value.via, role: roleReference.value.value } : undefined
    const first = { ...unseenHistory, ...(bound === undefined ? {} : { bound }) }
    if (pod.value.uid !== undefined && injectionFault(pod.value, first) === undefined) return absent(pod.from)
    const { value: one, from } = pod
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const annotated = account === undefined ? undefined : writtenAt(account, roleAnnotation)?.time
    const associated = association.state === 'known' ? association.value.created : undefined
    const siblings = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const told = async (): Promise<Fact<InjectionHistory>> => {
      const webhook = await podIdentityWebhook.ask({}, {}, inquiry)
      const flags = await webhookFlags(webhook, inquiry)
      const map = await webhookMap(webhook, inquiry)
      return known(
        {
          ...first,
          ...(account?.created === undefined ? {} : { serviceAccountCreated: account.created }),
          ...(annotated === undefined ? {} : { annotated }),
          ...(associated === undefined ? {} : { associated }),
          ...(webhook.state === 'known' ? { webhook: webhook.value } : {}),
          ...(flags.state === 'known' ? { annotationPrefix: flags.value.annotationPrefix } : {}),
          mapKeys: map.state === 'known' ? map.value.map(({ key }) => key) : [],
          siblingsInjected: siblings.some(
            ({ name, containers }) => name !== one.name && containers.some((its) => injectedInto(its) !== 'none'),
          ),
        },
        from,
      )
    }
    return told()
  },
})

/** Templates of a ServiceAccount that stands for its unseen pods; absent where the pod itself is judged. */
export const unbornPods = defineProbe({
  id: 'aws/unborn-pods',
  about: 'the pod templates of a ServiceAccount without pods',
  scope: 'pod',
  needs: {},
  wants: { pod, templatesOfServiceAccount, podsOfServiceAccount },
  ask: (
    _have,
    { pod, templatesOfServiceAccount, podsOfServiceAccount },
    { subject },
  ): Fact<{ readonly templates: readonly Pod[]; readonly noPods: boolean }> => {
    if (pod.state !== 'unknown' || subject.kind !== 'ServiceAccount') return absent(pod.from)
    const templates = templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.items : []
    const noPods =
      podsOfServiceAccount.state === 'known' &&
      podsOfServiceAccount.value.complete &&
      podsOfServiceAccount.value.items.length === 0
    return known({ templates, noPods }, templatesOfServiceAccount.from)
  },
})
