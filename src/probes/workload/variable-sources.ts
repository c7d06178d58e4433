/** The key names of the Secrets and ConfigMaps that fill variables of a pod; asked only where the pod is bound to an identity. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  type Question,
  reading,
  type Soon,
  type Unknown,
} from '../../core/fact.ts'
import { textsAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { boundOf, nameOfObject, objectsToLookInto } from '../../domain/static-credentials.ts'
import type { ObjectName } from '../../domain/workloads.ts'
import { pod } from './pod.ts'
import { serviceAccount } from './service-account.ts'

export type VariableSources = {
  /** By `Secret name`; an object that does not exist fills nothing. */
  readonly keys: ReadonlyMap<string, readonly string[]>
  readonly unseen: readonly { readonly object: ObjectName; readonly fact: Unknown }[]
}

/** Key names only: no value is ever read. Never unknown; what was not seen is told by name. */
export const variableSources = defineProbe({
  id: 'workload/variable-sources',
  about: 'the key names of what fills the variables of the pod',
  scope: 'pod',
  needs: { pod },
  wants: { serviceAccount },
  only: 'pod',
  ask: ({ pod }, { serviceAccount }, { ask }): Soon<Fact<VariableSources>> => {
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const objects = new Map(
      pod.value.containers
        .filter((container) => boundOf(pod.value, container, account).length > 0)
        .flatMap(objectsToLookInto)
        .map((object) => [nameOfObject(object), object] as const),
    )
    return objects.size === 0 ? absent(pod.from) : lookInto(objects, pod.value.namespace, pod.from, ask)
  },
})

async function lookInto(
  objects: ReadonlyMap<string, ObjectName>,
  namespace: string,
  from: Question,
  ask: Inquiry['ask'],
): Promise<Fact<VariableSources>> {
  const keys = new Map<string, readonly string[]>()
  const unseen: { object: ObjectName; fact: Unknown }[] = []
  for (const [name, object] of objects) {
    const resource = object.kind === 'Secret' ? 'secrets' : 'configmaps'
    const fact = reading(await ask(kubernetes.get(resource, namespace, object.name)), (json) => textsAt(json, 'keys'))
    if (fact.state === 'known') keys.set(name, fact.value)
    else if (fact.state === 'absent') keys.set(name, [])
    else unseen.push({ object, fact })
  }
  return known({ keys, unseen }, from)
}
