/** The pods, and pods of templates, that are aimed at virtual nodes. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { virtualNode } from '../../domain/kubernetes-cloud-picks.ts'
import { kubernetes } from '../../domain/questions.ts'
import { configured } from './config.ts'

export type User = {
  /** `job/helloworld`. */
  readonly workload: string
  readonly namespace: string
  readonly mountsToken: boolean
  /** Seconds that it may run, where it says so. */
  readonly deadline?: number
}
export type Users = { readonly items: readonly User[]; readonly complete: boolean }

const resources = ['pods', 'jobs', 'cronjobs', 'deployments', 'statefulsets', 'daemonsets'] as const

export const toleratesVirtual = (spec: Json | undefined): boolean =>
  listAt(spec, 'tolerations').some((one) => {
    const key = textAt(one, 'key') ?? ''
    return key === virtualNode || (key === '' && textAt(one, 'operator') === 'Exists')
  })

const hostname = 'kubernetes.io/hostname'

function aims(spec: Json | undefined, node: string): boolean {
  if (textAt(spec, 'nodeName') === node) return true
  const host = textAt(spec, 'nodeSelector', hostname)
  if (host !== undefined && host !== node) return false
  // Whoever tolerates everything is not aimed anywhere: DaemonSets do.
  return host === node || listAt(spec, 'tolerations').some((one) => textAt(one, 'key') === virtualNode)
}

function read(object: Json, node: string): User | undefined {
  const kind = textAt(object, 'kind') ?? ''
  const outer = kind === 'CronJob' ? at(object, 'spec', 'jobTemplate', 'spec') : at(object, 'spec')
  const spec = kind === 'Pod' ? outer : at(outer, 'template', 'spec')
  if (!isObject(spec) || !aims(spec, node)) return undefined
  const deadline = at(outer, 'activeDeadlineSeconds')
  return {
    workload: `${kind.toLowerCase()}/${textAt(object, 'metadata', 'name') ?? ''}`,
    namespace: textAt(object, 'metadata', 'namespace') ?? 'default',
    mountsToken: spec.automountServiceAccountToken !== false,
    ...(typeof deadline === 'number' ? { deadline } : {}),
  }
}

/** Never unknown: not to have seen any is one of the answers. */
export const users = defineProbe({
  id: 'interlink/users',
  about: 'the pods that are aimed at the virtual node',
  scope: 'object',
  needs: {},
  wants: { configured },
  ask: async (_have, { configured }, { ask }): Promise<Fact<Users>> => {
    const pods = kubernetes.list('pods')
    if (configured.state !== 'known' || configured.value.config === undefined) return absent(pods)
    const { node } = configured.value
    const lists = await Promise.all(resources.map((resource) => ask(kubernetes.list(resource))))
    const items = lists.flatMap((list) =>
      list.state === 'known' ? listAt(list.value, 'items').flatMap((one) => read(one, node) ?? []) : [],
    )
    const complete = lists.every(
      (list) => list.state === 'absent' || (list.state === 'known' && at(list.value, 'complete') === true),
    )
    return known({ items, complete }, pods)
  },
})
