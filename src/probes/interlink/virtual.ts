/** Virtual nodes of interLink, and the pods that run there. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { hasTaint, virtualNode } from '../../domain/kubernetes-cloud-picks.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readPod } from '../read-once.ts'
import { type Kubelet, kubeletOf } from './kubelet.ts'
import { toleratesVirtual } from './users.ts'

/** Names; absent where no virtual node was seen, or nodes could not be listed. */
export const virtualNodes = defineProbe({
  id: 'interlink/virtual-nodes',
  about: 'the virtual nodes',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<ReadonlySet<string>>> => {
    const question = kubernetes.list('nodes')
    return onward(ask(question), (answer): Fact<ReadonlySet<string>> => {
      const found = (answer.state === 'known' ? listAt(answer.value, 'items') : [])
        .filter((node) => hasTaint(node, virtualNode))
        .map((node) => textAt(node, 'metadata', 'name') ?? '')
      return found.length === 0 ? absent(question) : known(new Set(found), question)
    })
  },
})

/** The virtual node that a pod runs on, or is aimed at by a toleration that names its taint; absent for every other pod. */
export const remotePlace = defineProbe({
  id: 'interlink/remote-place',
  about: 'whether the pod runs on a virtual node',
  scope: 'pod',
  needs: {},
  wants: { virtualNodes },
  ask: (_have, { virtualNodes }, { subject, ask }): Soon<Fact<string>> => {
    const question = kubernetes.get('pods', subject.namespace, subject.name)
    if (subject.kind !== 'Pod') return absent(question)
    return onward(ask(question), (answer): Fact<string> => {
      if (answer.state !== 'known') return absent(question)
      const node =
        textAt(answer.value, 'spec', 'nodeName') ??
        textAt(answer.value, 'spec', 'nodeSelector', 'kubernetes.io/hostname')
      if (node === undefined) return absent(question)
      const own = virtualNodes.state === 'known' && virtualNodes.value.has(node)
      if (own) return known(node, question)
      const aimed = listAt(answer.value, 'spec', 'tolerations').some((one) => textAt(one, 'key') === virtualNode)
      // A pod that tolerates the taint may run on a real node all the same; only the node tells.
      return aimed && toleratesVirtual(at(answer.value, 'spec')) && virtualNodes.state !== 'known'
        ? unknown(
            'not-collected',
            `whether node ${node} is a virtual one was not seen`,
            kubernetes.list('nodes'),
            'kubectl get nodes -o yaml > nodes.yaml',
          )
        : absent(question)
    })
  },
})

/** The pod, where it runs on a virtual node: nobody else's is read for this. */
export const remotePod = defineProbe({
  id: 'interlink/remote-pod',
  about: 'the pod on the virtual node',
  scope: 'pod',
  needs: { remotePlace },
  wants: {},
  ask: ({ remotePlace }, _want, { subject, ask }) => {
    const question = kubernetes.get('pods', subject.namespace, subject.name)
    if (remotePlace.state === 'absent') return absent(question)
    return onward(ask(question), (answer) => {
      const pod = answer.state === 'known' ? readPod(answer.value) : undefined
      return pod === undefined ? absent(question) : known(pod, question)
    })
  },
})

export type VirtualNode = { readonly name: string; readonly addresses: readonly string[] }

/** Absent for a node that is not virtual. */
export const ownVirtualNode = defineProbe({
  id: 'interlink/virtual-node',
  about: 'the virtual node',
  scope: 'node',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<VirtualNode>> => {
    const question = kubernetes.get('nodes', undefined, subject.name)
    if (subject.kind !== 'Node' || subject.whole !== true) return absent(question)
    return onward(
      ask(question),
      (answer): Fact<VirtualNode> =>
        answer.state === 'known' && hasTaint(answer.value, virtualNode)
          ? known(
              {
                name: subject.name,
                addresses: listAt(answer.value, 'status', 'addresses').flatMap((one) => textAt(one, 'address') ?? []),
              },
              question,
            )
          : absent(question),
    )
  },
})

/** The Deployment behind it; absent for a node that is not virtual. */
export const nodesKubelet = defineProbe({
  id: 'interlink/nodes-kubelet',
  about: 'the Deployment of the virtual kubelet',
  scope: 'node',
  needs: { ownVirtualNode },
  wants: {},
  ask: ({ ownVirtualNode }, _want, { ask }): Soon<Fact<Kubelet>> =>
    ownVirtualNode.state === 'absent' ? ownVirtualNode : kubeletOf(ownVirtualNode.value.name, ask),
})

export type Request = {
  readonly name: string
  /** Who asks. */
  readonly requestor: string
  readonly state: 'waiting' | 'approved' | 'refused'
}

const conditionOf = (request: Json): Request['state'] => {
  const types = listAt(request, 'status', 'conditions').map((one) => textAt(one, 'type') ?? '')
  if (types.includes('Denied') || types.includes('Failed')) return 'refused'
  return types.includes('Approved') ? 'approved' : 'waiting'
}

const isOf = (request: Json, node: string): boolean =>
  textAt(request, 'spec', 'signerName') === 'kubernetes.io/kubelet-serving' &&
  (textAt(request, 'spec', 'username') === `system:node:${node}` ||
    (textAt(request, 'metadata', 'name') ?? '').includes(node) ||
    (textAt(request, 'spec', 'username') ?? '').endsWith(`:${node}`))

/** Its requests for a serving certificate; absent where there are none. */
export const servingRequests = defineProbe({
  id: 'interlink/serving-requests',
  about: "the virtual node's requests for a serving certificate",
  scope: 'node',
  needs: { ownVirtualNode },
  wants: {},
  ask: ({ ownVirtualNode }, _want, { ask }): Soon<Fact<readonly Request[]>> => {
    const question = kubernetes.list('certificatesigningrequests')
    if (ownVirtualNode.state === 'absent') return absent(question)
    const { name } = ownVirtualNode.value
    return onward(ask(question), (answer): Fact<readonly Request[]> => {
      if (answer.state !== 'known') return answer
      const own = listAt(answer.value, 'items').filter((one) => isOf(one, name))
      return own.length === 0
        ? absent(question)
        : known(
            own.map((one) => ({
              name: textAt(one, 'metadata', 'name') ?? '',
              requestor: textAt(one, 'spec', 'username') ?? '',
              state: conditionOf(one),
            })),
            question,
          )
    })
  },
})
