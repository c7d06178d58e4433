/** What stands around a ServiceAccount that names no role: the annotation elsewhere, pods from before, others that are bound. */
import { absent, defineProbe, type Fact, known, type Soon } from '../../core/fact.ts'
import { isObject, type Json, textAt } from '../../core/json.ts'
import { keyOfSubject } from '../../core/subject.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { isByWebhook, rolesIn, showsAws } from '../../domain/aws-injection.ts'
import { unsupportedKey } from '../../domain/aws-injection-fault.ts'
import { toolOfPod } from '../../domain/aws-role-keys.ts'
import { podExpectsIdentity } from '../../domain/identity-marks.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readServiceAccount, readWorkload } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { judged } from '../cluster/judged.ts'
import { templateResources } from '../cluster/pods.ts'
import { listed } from '../lists.ts'
import { podsOfServiceAccount, templatesOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { isOfAnotherCloud } from './association.ts'
import { roleReference } from './role-reference.ts'
import { podIdentityWebhook, webhookMap } from './webhook.ts'

export type Unbound = {
  /** The annotation, on an object that nobody reads it from. */
  readonly misplaced?: { readonly kind: string; readonly name: string; readonly value: string }
  /** A role that the webhook once gave to a pod which is still there. */
  readonly left?: { readonly pod: string; readonly role: string }
  /** A workload whose own manifest holds the variables. */
  readonly byHand?: string
  readonly showsAws: boolean
  /** Its workloads expect the identity of another cloud. */
  readonly ofAnotherCloud: boolean
  /** Its pods name a role to this tool, which gives it without any ServiceAccount. */
  readonly otherTool?: string
  /** A ServiceAccount of the namespace, judged too, that has the role which this one's workloads lack. */
  readonly bound?: string
  /** A key of the webhook's map that means this ServiceAccount and is not understood. */
  readonly mapKey?: string
}

/** Absent where a role is named. Never unknown: what was not seen is not in it. */
export const unbound = defineProbe({
  id: 'aws/unbound',
  about: 'what stands around a ServiceAccount without a role',
  scope: 'service-account',
  needs: { serviceAccount, judged },
  wants: { roleReference, podsOfServiceAccount, templatesOfServiceAccount },
  ask: (
    { serviceAccount, judged },
    { roleReference, podsOfServiceAccount, templatesOfServiceAccount },
    inquiry,
  ): Soon<Fact<Unbound>> => {
    if (serviceAccount.state === 'absent' || roleReference.state === 'known') return absent(serviceAccount.from)
    const { namespace, name } = serviceAccount.value
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const templates = templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.items : []
    const from = serviceAccount.from
    return (async (): Promise<Fact<Unbound>> => {
      const misplaced = onPods(pods) ?? (await onWorkloads()) ?? (await onNamespace())
      const hand = [...templates, ...pods.filter((pod) => !isByWebhook(pod))].find((pod) => rolesIn(pod).length > 0)
      const lost = pods.find((pod) => isByWebhook(pod) && rolesIn(pod).length > 0)
      const role = lost === undefined || templates.some((one) => rolesIn(one).length > 0) ? undefined : rolesIn(lost)[0]
      const bound = await boundBeside()
      const map = await inMap()
      const users = [...pods, ...templates]
      const otherTool = users.map(({ annotations }) => toolOfPod(annotations)).find((one) => one !== undefined)
      const aws = users.some(showsAws)
      return known(
        {
          showsAws: aws,
          ofAnotherCloud: !aws && (isOfAnotherCloud(serviceAccount.value) || users.some(podExpectsIdentity)),
          ...(misplaced === undefined ? {} : { misplaced }),
          ...(lost === undefined || role === undefined || map.mayName ? {} : { left: { pod: lost.name, role } }),
          ...(otherTool === undefined ? {} : { otherTool }),
          ...(hand === undefined ? {} : { byHand: `${hand.kind} ${hand.name}` }),
          ...(bound === undefined ? {} : { bound }),
          ...(map.unsupported === undefined ? {} : { mapKey: map.unsupported }),
        },
        from,
      )
    })()

    function onPods(all: readonly Pod[]): Unbound['misplaced'] {
      const found = all.find(({ annotations }) => annotations[roleAnnotation])
      return found === undefined
        ? undefined
        : { kind: found.kind, name: found.name, value: found.annotations[roleAnnotation] ?? '' }
    }

    async function onWorkloads(): Promise<Unbound['misplaced']> {
      for (const resource of templateResources) {
        const list = listed(await inquiry.ask(kubernetes.list(resource, namespace)), (json) =>
          isObject(json) ? json : undefined,
        )
        for (const json of list.state === 'known' ? list.value.items : []) {
          const template = readWorkload(json)
          if (template?.serviceAccount !== name) continue
          const value = textAt(json, 'metadata', 'annotations', roleAnnotation) ?? template.annotations[roleAnnotation]
          if (value) return { kind: template.kind, name: template.name, value }
        }
      }
      return undefined
    }

    async function onNamespace(): Promise<Unbound['misplaced']> {
      const fact = await inquiry.ask(kubernetes.get('namespaces', undefined, namespace))
      const value = fact.state === 'known' ? textAt(fact.value, 'metadata', 'annotations', roleAnnotation) : undefined
      return value ? { kind: 'Namespace', name: namespace, value } : undefined
    }

    /** Only one that is judged as well, so that a word about it is certain to be said. */
    async function boundBeside(): Promise<string | undefined> {
      if (pods.length + templates.length === 0) return undefined
      const list = listed(await inquiry.ask(kubernetes.list('serviceaccounts', namespace)), (json: Json) =>
        readServiceAccount(json),
      )
      const others = (list.state === 'known' ? list.value.items : []).filter(
        (one) => one.name !== name && one.namespace === namespace && one.annotations[roleAnnotation],
      )
      const [only] = others
      if (only === undefined || others.length > 1) return undefined
      const key = keyOfSubject({ kind: 'ServiceAccount', namespace, name: only.name })
      return judged.state === 'known' && judged.value.byKey.has(key) ? only.name : undefined
    }

    /** A webhook in the cluster may read the role from a map that was not seen: then nothing is lost. */
    async function inMap(): Promise<{ readonly unsupported?: string; readonly mayName: boolean }> {
      const webhook = await podIdentityWebhook.ask({}, {}, inquiry)
      const map = await webhookMap(webhook, inquiry)
      const keys = map.state === 'known' ? map.value.map(({ key }) => key) : []
      const unsupported = unsupportedKey(keys, namespace, name)
      return {
        mayName: map.state === 'unknown' && webhook.state === 'known',
        ...(unsupported === undefined ? {} : { unsupported }),
      }
    }
  },
})
