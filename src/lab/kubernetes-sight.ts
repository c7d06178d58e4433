/** What of the cluster a case lets be seen: an empty list would say that there are none, where the case only shows none. */
import { type JsonObject, textAt } from '../core/json.ts'
import type { LabCase } from './case.ts'
import type { Target } from './kubernetes-resources.ts'
import type { Store } from './kubernetes-store.ts'

export type Sight = { readonly hides: (verb: string, target: Target) => boolean }

/** Kinds that are collected together: where one of a family was taken from a cluster, the others are taken to be shown as well. */
const families: readonly (readonly string[])[] = [
  ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'],
  ['ServiceAccount'],
  ['MutatingWebhookConfiguration'],
]

const namespaceOf = (object: JsonObject): string | undefined => textAt(object, 'metadata', 'namespace')
const isLive = (object: JsonObject): boolean => textAt(object, 'metadata', 'uid') !== undefined

/** Kinds outside the families are seen whatever the case shows; so is everything that has been made since the start. */
export function makeSight(lab: Pick<LabCase, 'objects' | 'listed'>, store: Store): Sight {
  const hides: Sight['hides'] = (verb, { resource, namespace, subresource }) => {
    const family = families.find((kinds) => kinds.includes(resource.kind))
    const isAccount = resource.kind === 'ServiceAccount'
    const looks = verb === 'list' || (isAccount && (verb === 'get' || subresource === 'token'))
    if (family === undefined || !looks || lab.listed.has(resource.kind)) return false
    if (!store.isEmpty(resource, namespace)) return false
    const relatives = lab.objects.filter((one) => family.includes(textAt(one, 'kind') ?? '') && isLive(one))
    if (relatives.some((one) => namespace === undefined || namespaceOf(one) === namespace)) return false
    // A namespace of which a collected cluster shows nothing at all is an empty one.
    const isBare = namespace !== undefined && !lab.objects.some((one) => namespaceOf(one) === namespace)
    return !(isBare && relatives.length > 0)
  }
  return { hides }
}
