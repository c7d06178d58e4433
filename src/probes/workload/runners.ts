/** Workloads beside a bound ServiceAccount that run as another and may have been meant for it, with their templates. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import type { JsonObject } from '../../core/json.ts'
import { type ObjectPlace, rolling } from '../../domain/kubernetes-changes.ts'
import { workloadOf } from './namesakes.ts'
import { podsOfNamespace } from './pods.ts'
import { templateAt } from './template.ts'
import { users } from './users.ts'

export type Runner = {
  readonly workload: string
  readonly place: ObjectPlace
  readonly template: JsonObject
  /** The pods that it has now. */
  readonly pods: readonly string[]
}

/** Those that ask for an identity by themselves; where none does, the only one that runs as `default`. Templates that were not seen leave it unknown. */
export const runners = defineProbe({
  id: 'workload/runners',
  about: 'the templates of the workloads that may have been meant',
  scope: 'service-account',
  needs: { users },
  wants: { podsOfNamespace },
  ask: async ({ users }, { podsOfNamespace }, inquiry): Promise<Fact<readonly Runner[]>> => {
    const { namespace } = inquiry.subject
    if (users.state === 'absent' || namespace === undefined) return absent(users.from)
    const others = users.value.others().filter(({ passing }) => !passing)
    const asking = others.filter((one) => one.expectsIdentity && !users.value.bound.includes(one.serviceAccount))
    const meant = asking.length > 0 ? asking : others.filter((one) => one.serviceAccount === 'default')
    // Which of several was meant, nothing tells.
    if (meant.length !== 1) return known([], users.from)
    const pods = podsOfNamespace.state === 'known' ? podsOfNamespace.value.items : []
    const found: Runner[] = []
    for (const { workload } of meant) {
      const place = rolling(workload, namespace)
      if (place === undefined) continue
      const template = await templateAt(place, inquiry)
      if (template.state === 'unknown') return template
      if (template.state === 'absent') continue
      const own = pods.filter((one) => workloadOf(one) === workload).map(({ name }) => name)
      found.push({ workload, place, template: template.value, pods: own })
    }
    return known(found, users.from)
  },
})
