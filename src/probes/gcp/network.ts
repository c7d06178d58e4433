/** The network policies and the mesh around a pod that is served by the GKE metadata server. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { clientSide, type Judged, judgePolicies, nodeSide, type Target, targetsOf } from '../../domain/gcp-network.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import type { GooglePod } from './pod.ts'
import { googlePod } from './pod.ts'

export type Network = {
  readonly google: GooglePod
  readonly judged: readonly Judged[]
  /** Whichever dataplane it is: both addresses are allowed, or the dataplane is known. */
  readonly certain: boolean
  /** One of the lists was seen: without any of them nothing is said of policies. */
  readonly seen: boolean
  /** A list that was refused. */
  readonly unseen: Fact<Json> | undefined
  readonly cilium:
    | { readonly masquerades: boolean; readonly hostRouting: boolean; readonly version?: string }
    | undefined
}

/** Absent where the pod is no pod of GKE, or was not seen. */
export const googleNetwork = defineProbe({
  id: 'gcp/network',
  about: 'the network policies around the pod',
  scope: 'pod',
  needs: { googlePod },
  wants: {},
  only: 'googlePod',
  ask: async ({ googlePod }, _want, { ask }): Promise<Fact<Network>> => {
    const google = googlePod.value
    const { pod, world } = google
    if (!world.gke) return absent(gcp.collected())
    if (pod === undefined)
      return known(
        { google, judged: [], certain: true, seen: false, unseen: undefined, cilium: undefined },
        googlePod.from,
      )
    const list = async (resource: string, namespace?: string): Promise<Fact<Json>> =>
      ask(kubernetes.list(resource, namespace))
    const [own, cilium, wide, calico, global, config] = await Promise.all([
      list('networkpolicies', pod.namespace),
      list('ciliumnetworkpolicies', pod.namespace),
      list('ciliumclusterwidenetworkpolicies'),
      list('networkpolicies.crd.projectcalico.org', pod.namespace),
      list('globalnetworkpolicies.crd.projectcalico.org'),
      ask(kubernetes.get('configmaps', 'kube-system', 'cilium-config')),
    ])
    const items = (fact: Fact<Json>): readonly Json[] => (fact.state === 'known' ? listAt(fact.value, 'items') : [])
    const cluster = world.cluster.state === 'known' ? world.cluster.value : undefined
    const policies = {
      kubernetes: items(own),
      cilium: [...items(cilium), ...items(wide)],
      calico: [...items(calico), ...items(global)],
    }
    const judged = judgePolicies(policies, pod, targetsOf(cluster?.dataplane, cluster !== undefined))
    const either = (target: Target): boolean => {
      const restricting = judgePolicies(policies, pod, [target]).filter(({ kind }) => kind === 'kubernetes')
      return restricting.length === 0 || restricting.some(({ allows }) => allows === true)
    }
    const certain = cluster !== undefined || (either(clientSide) && either(nodeSide))
    const data = config.state === 'known' ? at(config.value, 'data') : undefined
    const version = textAt(data, 'cilium-version')
    const lists = [own, cilium, wide, calico, global]
    return known(
      {
        google,
        judged,
        certain,
        seen: lists.some(({ state }) => state !== 'unknown'),
        unseen: lists.find(
          (fact) => fact.state === 'unknown' && fact.why !== 'not-collected' && fact.why !== 'not-asked',
        ),
        cilium:
          data === undefined
            ? undefined
            : {
                masquerades: textAt(data, 'enable-bpf-masquerade') === 'true',
                hostRouting: textAt(data, 'enable-host-legacy-routing') === 'true',
                ...(version === undefined ? {} : { version }),
              },
      },
      own.from,
    )
  },
})

export type Mesh = {
  readonly google: GooglePod
  /** How the mesh treats hosts that nobody registered; absent where no ConfigMap says so. */
  readonly mode: Fact<string>
  readonly entries: Fact<{ readonly hosts: readonly string[]; readonly complete: boolean }>
}

/** Absent where the pod has no sidecar. */
export const googleMesh = defineProbe({
  id: 'gcp/mesh',
  about: 'the service mesh around the pod',
  scope: 'pod',
  needs: { googlePod },
  wants: {},
  only: 'googlePod',
  ask: async ({ googlePod }, _want, { ask }): Promise<Fact<Mesh>> => {
    const google = googlePod.value
    const { pod } = google
    const injected =
      pod !== undefined &&
      (pod.containers.some(({ name }) => name === 'istio-proxy') || 'sidecar.istio.io/status' in pod.annotations)
    if (!injected) return absent(gcp.collected())
    const config = await ask(kubernetes.get('configmaps', 'istio-system', 'istio'))
    const word =
      config.state === 'known' ? /mode:\s*(\w+)/.exec(textAt(config.value, 'data', 'mesh') ?? '')?.[1] : undefined
    const mode: Fact<string> =
      config.state === 'unknown' ? config : word === undefined ? absent(config.from) : known(word, config.from)
    const list =
      word === 'REGISTRY_ONLY'
        ? await ask(kubernetes.list('serviceentries'))
        : absent(kubernetes.list('serviceentries'))
    const entries: Mesh['entries'] =
      list.state === 'known'
        ? known(
            {
              hosts: listAt(list.value, 'items').flatMap((one) => textsAt(one, 'spec', 'hosts')),
              complete: at(list.value, 'complete') !== false,
            },
            list.from,
          )
        : list
    return known({ google, mode, entries }, googlePod.from)
  },
})
