/** The workloads of cloud controller managers, and the nodes that wait for one. */
import { absent, defineProbe, type Fact, known, type Question, type Unknown } from '../../core/fact.ts'
import { at, isList, isObject, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { hasTaint, uninitialized } from '../../domain/kubernetes-cloud-picks.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { flagValues } from '../cluster/api-server.ts'
import { components } from './components.ts'
import { ofController } from './errors.ts'

export type Mounted = { readonly kind: 'Secret' | 'ConfigMap'; readonly namespace: string; readonly name: string }
export type Workload = {
  /** `deployment/openstack-cloud-controller-manager`. */
  readonly workload: string
  readonly namespace: string
  readonly serviceAccount: string
  /** It tolerates the taint that only it removes. */
  readonly tolerates: boolean
  /** The pod template has a list of tolerations. */
  readonly hasTolerations: boolean
  /** What `--controllers` says; left out where it says nothing. */
  readonly controllers?: string
  /** The one word that says so, with its path in the object. */
  readonly flag?: { readonly path: readonly (string | number)[]; readonly word: string }
  readonly ready?: number
  readonly desired?: number
  readonly mounted: readonly Mounted[]
  readonly from: Question
}
export type Ccm = {
  readonly workloads: readonly Workload[]
  /** Nodes with the taint. */
  readonly waiting: readonly string[]
  /** A node is one of EKS, GKE or AKS, which run theirs outside the cluster. */
  readonly managed: boolean
  /** Both lists were seen whole, and the nodes. */
  readonly complete: boolean
  readonly unseen?: Unknown
}

const isOurs = (object: Json): boolean => {
  const name = textAt(object, 'metadata', 'name') ?? ''
  const images = listAt(object, 'spec', 'template', 'spec', 'containers').map(
    (one) => textAt(one, 'image')?.split('/').at(-1) ?? '',
  )
  return [name, ...images].some((one) => /cloud-controller-manager|-cloud-controller\b|^cloud-controller\b/.test(one))
}

const tolerates = (toleration: Json): boolean => {
  const key = textAt(toleration, 'key') ?? ''
  const effect = textAt(toleration, 'effect') ?? ''
  const operator = textAt(toleration, 'operator')
  const value = textAt(toleration, 'value') ?? ''
  const fits = key === '' ? operator === 'Exists' : key === uninitialized && (operator === 'Exists' || value === 'true')
  return fits && (effect === '' || effect === 'NoSchedule')
}

const numberAt = (json: Json, ...path: readonly string[]): number | undefined => {
  const value = at(json, ...path)
  return typeof value === 'number' ? value : undefined
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

/** Undefined where it stands in two words, or more than once. */
function flagIn(spec: Json | undefined): Workload['flag'] {
  const found = listAt(spec, 'containers').flatMap((container, index) =>
    ['command', 'args'].flatMap((list) =>
      listAt(container, list).flatMap((word, place) =>
        typeof word === 'string' && word.startsWith('--controllers=')
          ? [{ path: ['spec', 'template', 'spec', 'containers', index, list, place], word }]
          : [],
      ),
    ),
  )
  return found.length === 1 ? found[0] : undefined
}

function readWorkload(object: Json, from: Question): Workload {
  const kind = textAt(object, 'kind') ?? 'Deployment'
  const namespace = textAt(object, 'metadata', 'namespace') ?? 'default'
  const spec = at(object, 'spec', 'template', 'spec')
  const words = listAt(spec, 'containers').flatMap((one) => [...textsAt(one, 'command'), ...textsAt(one, 'args')])
  const daemon = kind === 'DaemonSet'
  const status = at(object, 'status')
  const desired = daemon
    ? numberAt(object, 'status', 'desiredNumberScheduled')
    : (numberAt(object, 'spec', 'replicas') ?? 1)
  const ready = daemon ? numberAt(object, 'status', 'numberReady') : numberAt(object, 'status', 'readyReplicas')
  const mounted = listAt(spec, 'volumes').flatMap((volume): readonly Mounted[] => {
    const secret = textAt(volume, 'secret', 'secretName')
    const map = textAt(volume, 'configMap', 'name')
    if (secret !== undefined) return [{ kind: 'Secret', namespace, name: secret }]
    return map === undefined ? [] : [{ kind: 'ConfigMap', namespace, name: map }]
  })
  return {
    workload: `${kind.toLowerCase()}/${textAt(object, 'metadata', 'name') ?? ''}`,
    namespace,
    serviceAccount: textAt(spec, 'serviceAccountName') ?? 'default',
    tolerates: listAt(spec, 'tolerations').some(tolerates),
    hasTolerations: isList(at(spec, 'tolerations')),
    ...optional('flag', flagIn(spec)),
    ...optional('controllers', flagValues(words, 'controllers').at(-1)),
    // A manifest has no status, and says nothing about what runs.
    ...(isObject(status) ? { ready: ready ?? 0, ...optional('desired', desired) } : {}),
    mounted,
    from,
  }
}

const managedLabels = ['eks.amazonaws.com/nodegroup', 'cloud.google.com/gke-nodepool', 'kubernetes.azure.com/cluster']

/** Absent where nothing waits for a cloud controller manager and none is there. */
export const ccm = defineProbe({
  id: 'cloud-provider/controller',
  about: 'the cloud controller manager, and the nodes that wait for it',
  scope: 'cluster',
  needs: {},
  wants: { components, ofController },
  ask: async (_have, { components, ofController }, { subject, ask }): Promise<Fact<Ccm>> => {
    const deployments = kubernetes.list('deployments')
    if (subject.whole !== true) return absent(deployments)
    const nodeList = await ask(kubernetes.list('nodes'))
    const nodes = nodeList.state === 'known' ? listAt(nodeList.value, 'items') : []
    const waiting = nodes
      .filter((node) => hasTaint(node, uninitialized))
      .map((node) => textAt(node, 'metadata', 'name') ?? '')
    const external =
      components.state === 'known' && components.value.all.some(({ flags }) => flags['cloud-provider'] === 'external')
    const live = (await ask(documents.ofKind('ComponentFlags'))).state === 'absent'
    const said = ofController.state === 'known'
    // A cluster in which nothing waits for one is looked through only where it usually is.
    const space = live && waiting.length === 0 && !external && !said ? 'kube-system' : undefined
    const questions = ['deployments', 'daemonsets'].map((resource) => kubernetes.list(resource, space))
    const lists = await Promise.all(questions.map(ask))
    const workloads = lists.flatMap((list) =>
      list.state === 'known'
        ? listAt(list.value, 'items')
            .filter(isOurs)
            .map((one) => readWorkload(one, list.from))
        : [],
    )
    if (workloads.length === 0 && waiting.length === 0 && !external) return absent(deployments)
    const whole = [nodeList, ...lists].every(
      (list) => list.state === 'absent' || (list.state === 'known' && at(list.value, 'complete') === true),
    )
    const unseen = [nodeList, ...lists].find((list) => list.state === 'unknown')
    return known(
      {
        workloads,
        waiting,
        managed: nodes.some((node) =>
          managedLabels.some((label) => textAt(node, 'metadata', 'labels', label) !== undefined),
        ),
        complete: whole,
        ...(unseen?.state === 'unknown' ? { unseen } : {}),
      },
      deployments,
    )
  },
})
