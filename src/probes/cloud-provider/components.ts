/** The components of Kubernetes that are told of a cloud provider: in pods of the control plane, in kubeadm's configuration, in units of machines. */
import { absent, defineProbe, type Fact, known, type Question, type Unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { flagValues } from '../cluster/api-server.ts'

export type Component = {
  readonly component: 'kubelet' | 'kube-apiserver' | 'kube-controller-manager'
  /** Where it was seen: a pod or a file. */
  readonly place: string
  readonly node?: string
  readonly flags: { readonly [flag: string]: string }
  /** Minor version of 1.x. */
  readonly minor?: number
  readonly from: Question
}
export type Components = {
  readonly all: readonly Component[]
  /** Pods of the control plane that could not be seen. */
  readonly unseen?: Unknown
}

const names = ['kube-apiserver', 'kube-controller-manager', 'kubelet'] as const
const flagNames = [
  'cloud-provider',
  'cloud-config',
  'image-credential-provider-config',
  'image-credential-provider-bin-dir',
]

export const minorOf = (version: string | undefined): number | undefined => {
  const minor = Number(/^v?1\.(\d{1,3})(?:\D|$)/.exec(version ?? '')?.[1] ?? Number.NaN)
  return Number.isInteger(minor) ? minor : undefined
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

function inPod(pod: Json, from: Question): readonly Component[] {
  return listAt(pod, 'spec', 'containers').flatMap((container) => {
    const words = [...textsAt(container, 'command'), ...textsAt(container, 'args')]
    const program = textAt(container, 'name') ?? ''
    const component = names.find((name) => name === program || words[0]?.split('/').at(-1) === name)
    if (component === undefined) return []
    const flags = Object.fromEntries(
      flagNames.flatMap((flag) => {
        const value = flagValues(words, flag).at(-1)
        return value === undefined ? [] : [[flag, value]]
      }),
    )
    const node = textAt(pod, 'spec', 'nodeName')
    const place = `pod ${textAt(pod, 'metadata', 'namespace') ?? 'kube-system'}/${textAt(pod, 'metadata', 'name') ?? ''}`
    const tag = /:(v?1\.[\w.-]{1,60})(?:@|$)/.exec(textAt(container, 'image') ?? '')?.[1]
    return [{ component, place, flags, from, ...optional('node', node), ...optional('minor', minorOf(tag)) }]
  })
}

function inDocument(document: Json, from: Question): readonly Component[] {
  const minor = minorOf(textAt(document, 'version'))
  const place = textAt(document, 'metadata', 'name')?.split(' ')[0] ?? ''
  return listAt(document, 'components').flatMap((one) => {
    const component = names.find((name) => name === textAt(one, 'component'))
    const flags = at(one, 'flags')
    if (component === undefined || !isObject(flags)) return []
    const texts = Object.fromEntries(
      Object.entries(flags).flatMap(([flag, value]) => (typeof value === 'string' ? [[flag, value]] : [])),
    )
    return [
      {
        component,
        place,
        flags: texts,
        from,
        ...optional('node', textAt(one, 'node')),
        ...optional('minor', minor),
      },
    ]
  })
}

/** Absent where no component is told of a cloud provider, or nobody asked about the cluster as such. */
export const components = defineProbe({
  id: 'cloud-provider/components',
  about: "the components' flags about a cloud provider",
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subject, ask }): Promise<Fact<Components>> => {
    const pods = kubernetes.list('pods', 'kube-system')
    if (subject.whole !== true) return absent(pods)
    const files = documents.ofKind('ComponentFlags')
    const [listed, written] = await Promise.all([ask(pods), ask(files)])
    const found = [
      ...(listed.state === 'known' ? listAt(listed.value, 'items').flatMap((pod) => inPod(pod, pods)) : []),
      ...(written.state === 'known' ? listAt(written.value, 'items').flatMap((one) => inDocument(one, files)) : []),
    ].filter(({ flags }) => Object.keys(flags).length > 0)
    if (found.length === 0) return absent(pods)
    const all = await versioned(found, ask)
    const unseen = listed.state === 'unknown' && listed.why !== 'not-collected' ? listed : undefined
    return known({ all, ...optional('unseen', unseen) }, all[0]?.from ?? pods)
  },
})

type Ask = (question: Question) => Fact<Json> | Promise<Fact<Json>>

/** The server's own version is that of the control plane; a kubelet's is on its node, or that of the only version that there is among the nodes. */
async function versioned(found: readonly Component[], ask: Ask): Promise<readonly Component[]> {
  if (found.every(({ minor }) => minor !== undefined)) return found
  const [server, nodes] = await Promise.all([ask(kubernetes.nonResource('/version')), ask(kubernetes.list('nodes'))])
  const ofServer = server.state === 'known' ? minorOf(textAt(server.value, 'gitVersion')) : undefined
  const kubelets = new Map(
    (nodes.state === 'known' ? listAt(nodes.value, 'items') : []).map((node) => [
      textAt(node, 'metadata', 'name') ?? '',
      minorOf(textAt(node, 'status', 'nodeInfo', 'kubeletVersion')),
    ]),
  )
  const kinds = new Set(kubelets.values())
  const only = kinds.size === 1 ? [...kinds][0] : undefined
  return found.map((one) => {
    if (one.minor !== undefined) return one
    const minor = one.component === 'kubelet' ? (kubelets.get(one.node ?? '') ?? only) : ofServer
    return { ...one, ...optional('minor', minor) }
  })
}
