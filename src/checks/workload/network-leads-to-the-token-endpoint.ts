/** Whether the pod's network lets it reach the place that its credentials come from. */
import { defineCheck, type Evidence, type Verdict } from '../../core/check.ts'
import type { Question } from '../../core/fact.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import {
  type CredentialEndpoint,
  goesStraight,
  interceptedBy,
  metadataDoors,
  proxiedAgent,
  saysSilent,
} from '../../domain/credential-endpoints.ts'
import {
  type Admits,
  admitsAddress,
  admitsCloud,
  admitsDns,
  type NetworkPolicy,
} from '../../domain/network-policies.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Pod } from '../../domain/workloads.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { credentialEndpoint } from '../../probes/workload/credential-endpoint.ts'
import { networkPolicies, type PoliciesOfPod } from '../../probes/workload/network-policies.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'

type Policies = Place & { readonly policies: string; readonly policy: string }

const edit = ({ policy, namespace }: Policies): string => sh`kubectl edit networkpolicy ${policy} -n ${namespace}`
const inTemplate = (data: Place, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}

const messages = {
  'host-network': ({ pod, mechanism, node }: Place & { pod: string; mechanism: string; node: string }) =>
    `pod ${pod} is on the host network, where ${mechanism} does not apply: it gets the identity of node ${node}`,
  'metadata-blocked': ({ policies, address, mechanism }: Policies & { address: string; mechanism: string }) =>
    `no egress rule of ${policies} admits ${address}, where ${mechanism} fetches tokens`,
  'agent-blocked': ({ policies, address }: Policies & { address: string }) =>
    `no egress rule of ${policies} admits ${address}, the EKS Pod Identity agent`,
  'exchange-blocked': ({ policies, hosts }: Policies & { hosts: string }) =>
    `no egress rule of ${policies} admits TCP 443 to ${hosts}`,
  'dns-blocked': ({ policies, reason }: Policies & { reason: string }) =>
    `no egress rule of ${policies} admits DNS; ${reason}`,
  'mesh-intercepts': ({ mesh, address, annotation }: Place & { mesh: string; address: string; annotation: string }) =>
    `the sidecar of ${mesh} takes calls to ${address}; ${annotation} does not exclude it`,
  'proxy-intercepts': ({ variable, address }: Place & { variable: string; address: string }) =>
    `${variable} is set and NO_PROXY lacks ${address}`,
}

/** What is judged of one pod. */
type Scene = {
  readonly pod: Pod
  readonly place: Place
  readonly endpoint: CredentialEndpoint
  readonly seen: PoliciesOfPod
  readonly evidence: readonly Evidence[]
  /** Whether an error says that this place was silent. */
  readonly silent: (places: readonly string[]) => boolean
}
type Word = Verdict<typeof messages>

const named = (policies: readonly NetworkPolicy[], place: Place) => ({
  ...place,
  policies: policies.map(({ name }) => name).join(', '),
  policy: policies[0]?.name ?? '',
})

const undecided = (lacks: string, evidence: readonly Evidence[], lift?: string): Word => ({
  ...{ status: 'undecided', lacks, evidence },
  ...(lift === undefined ? {} : { lift }),
})

/** What was not admitted may be by a policy that was not seen, unless the pod itself says that nobody answered. */
function blocked({ seen, place, evidence, silent }: Scene, places: readonly string[], fail: Word): Word {
  if (seen.complete || silent(places)) return fail
  const lift = sh`kubectl get networkpolicies -n ${place.namespace} -o yaml`
  return undecided('whether another NetworkPolicy admits what those that were seen do not', evidence, lift)
}

/** The word of the policies; undefined where they admit everything that is needed. */
function ofPolicies(scene: Scene): Word | undefined {
  const { seen, endpoint, place, evidence, pod } = scene
  const over = seen.restricting
  if (over.length === 0) return undefined
  const data = named(over, place)
  const open = (answer: Admits, what: string): Word | undefined =>
    answer === 'maybe' ? undecided(`whether the egress rules of ${data.policies} admit ${what}`, evidence) : undefined
  if (endpoint.kind === 'agent') {
    const { address } = endpoint
    const answer = admitsAddress(over, address, 80)
    return answer === 'no'
      ? blocked(scene, [address], { status: 'fail', message: 'agent-blocked', data: { ...data, address }, evidence })
      : open(answer, `${address}, TCP port 80`)
  }
  if (endpoint.kind === 'metadata') {
    const { mechanism } = endpoint
    const answers = metadataDoors.map(({ address, port }) => admitsAddress(over, address, port))
    const address = metadataDoors.map((door) => `${door.address}:${door.port}`).join(' or ')
    if (answers.every((answer) => answer === 'no')) {
      const places = ['169.254.169.254', 'metadata.google.internal', '169.254.169.252']
      return blocked(scene, places, {
        ...{ status: 'fail', message: 'metadata-blocked', data: { ...data, address, mechanism }, evidence },
      })
    }
    return answers.every((answer) => answer === 'yes')
      ? undefined
      : open('maybe', `the one of ${address} that the dataplane of the cluster uses`)
  }
  const hosts = endpoint.hosts.join(' and ')
  const straight = goesStraight(pod)
  const cloud = straight ? admitsCloud(over) : 'maybe'
  if (cloud === 'no')
    return blocked(scene, endpoint.hosts, {
      ...{ status: 'fail', message: 'exchange-blocked', data: { ...data, hosts }, evidence },
    })
  const { admits, reason } = admitsDns(over, seen.dnsLabels)
  if (admits === 'no' && straight)
    return blocked(scene, endpoint.hosts, {
      ...{ status: 'fail', message: 'dns-blocked', data: { ...data, reason }, evidence },
    })
  return open(cloud, `TCP 443 to ${hosts}`) ?? open(admits === 'no' ? 'maybe' : admits, 'the DNS of the cluster')
}

/** The word of what the pod carries itself: a sidecar, a proxy. */
function ofPod({ pod, endpoint, place, evidence, silent }: Scene): Word | undefined {
  if (endpoint.kind === 'exchange') return undefined
  const address = endpoint.kind === 'agent' ? endpoint.address : '169.254.169.254'
  const mesh = interceptedBy(pod, address)
  // Most meshes let through what they take; that they did not is told by the call alone.
  if (mesh !== undefined && silent([address]))
    return { status: 'fail', message: 'mesh-intercepts', data: { ...place, address, ...mesh }, evidence }
  const proxy = endpoint.kind === 'agent' ? proxiedAgent(pod, address) : undefined
  if (proxy === undefined) return undefined
  const { variable, container, known } = proxy
  return known
    ? { status: 'fail', message: 'proxy-intercepts', data: { ...place, variable, address }, evidence }
    : undecided(`whether ${variable} and NO_PROXY of container ${container} leave ${address} out`, evidence)
}

export const check = defineCheck({
  meta: {
    id: 'workload/network-leads-to-the-token-endpoint',
    title: "The pod's network leads to where its credentials come from",
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'A pod that cannot reach the place where its mechanism fetches credentials waits there until it gives up, or goes on with another identity.',
    fix: {
      safety: 'review',
      does: 'Add the missing peers to the egress policy that already restricts the pod, or the exclusion to the mesh annotation or NO_PROXY; never create a first egress policy for a pod that had none, for that would cut DNS and every Service.',
    },
    links: [
      'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
      'https://github.com/aws-samples/containers-blog-maelstrom/issues/123',
      'https://github.com/tryretool/retool-helm/issues/375',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/issues/40',
      'https://github.com/awsdocs/amazon-eks-user-guide/pull/878',
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
    ],
  },
  only: { probe: credentialEndpoint, otherwise: 'the pod shows no cloud identity' },
  needs: { pod, credentialEndpoint, networkPolicies },
  wants: { errorsOfPod },
  after: [],
  messages,
  remedies: {
    'host-network': (data) => inTemplate(data, 'Take hostNetwork out'),
    'metadata-blocked': (data) =>
      advice(
        `Add to the egress rules of ${data.policy} the peers 169.254.169.252/32 with TCP port 988 and 169.254.169.254/32 with TCP port 80: which of them counts depends on the dataplane of the cluster.`,
        edit(data),
      ),
    'agent-blocked': (data) =>
      advice(`Add to the egress rules of ${data.policy} the peer ${data.address} with TCP port 80.`, edit(data)),
    'exchange-blocked': (data) =>
      advice(
        `Add to the egress rules of ${data.policy} TCP port 443 to the addresses of ${data.hosts}: those of the VPC endpoint where there is one, else 0.0.0.0/0, since public ones change.`,
        edit(data),
      ),
    'dns-blocked': (data) =>
      advice(
        `Add to the egress rules of ${data.policy} UDP and TCP port 53 to namespaceSelector kubernetes.io/metadata.name: kube-system, which every namespace carries by itself.`,
        edit(data),
      ),
    'mesh-intercepts': (data) =>
      inTemplate(
        data,
        data.mesh === 'Linkerd'
          ? `Add 80 to the annotation ${data.annotation}`
          : `Add ${data.address}/32 to the annotation ${data.annotation}`,
      ),
    'proxy-intercepts': (data) => inTemplate(data, `Add ${data.address} to NO_PROXY and no_proxy`),
  },
  judge: ({ have: { pod, credentialEndpoint, networkPolicies }, want: { errorsOfPod }, subject }) => {
    if (pod.state === 'absent' || credentialEndpoint.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod shows no cloud identity' }
    const endpoint = credentialEndpoint.value
    const place = placeOf(subject)
    const { name, hostNetwork, node } = pod.value
    const ofPodSpec = (path: string, observed: Evidence['observed']): Evidence => ({
      ...{ question: pod.from, path, observed },
    })
    if (hostNetwork && endpoint.kind === 'metadata')
      return {
        ...{ status: 'fail', message: 'host-network' },
        data: { ...place, pod: name, mechanism: endpoint.mechanism, node: node ?? 'that it runs on' },
        evidence: [ofPodSpec('spec.hostNetwork', true)],
      }
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const seen: PoliciesOfPod =
      networkPolicies.state === 'known' ? networkPolicies.value : { restricting: [], complete: true }
    const scene: Scene = {
      ...{ pod: pod.value, place, endpoint, seen },
      evidence: [
        ...ofRules(seen, networkPolicies.from),
        ofPodSpec('spec.containers', endpoint.mechanism),
        ...errors.filter(({ text }) => saysSilent(text, placesOf(endpoint))).map(ofError),
      ],
      silent: (places) => errors.some(({ text }) => saysSilent(text, places)),
    }
    const word = ofPolicies(scene) ?? ofPod(scene)
    if (word !== undefined) return word
    if (!seen.complete) {
      const lift = sh`kubectl get networkpolicies -n ${place.namespace} -o yaml`
      return undecided('whether another NetworkPolicy restricts the pod', scene.evidence, lift)
    }
    return { status: 'pass', evidence: scene.evidence }
  },
})

const placesOf = (endpoint: CredentialEndpoint): readonly string[] =>
  endpoint.kind === 'agent'
    ? [endpoint.address]
    : endpoint.kind === 'metadata'
      ? ['169.254.169.254', 'metadata.google.internal', '169.254.169.252']
      : endpoint.hosts

const ofRules = ({ restricting }: PoliciesOfPod, question: Question): readonly Evidence[] =>
  restricting.length === 0
    ? [{ question, path: 'items', observed: 'no policy restricts what the pod may reach' }]
    : restricting.map(({ name, rules }) => ({
        question,
        path: `items["${name}"].spec.egress`,
        observed: rules.length === 0 ? 'no rule' : JSON.stringify(rules).slice(0, 600),
      }))
