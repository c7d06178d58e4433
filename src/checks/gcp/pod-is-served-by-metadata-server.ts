/** The pod's metadata requests are answered by the GKE metadata server, as the pod's own identity. */

import type { Evidence } from '../../core/check.ts'
import { defineCheck } from '../../core/check.ts'
import { at, textAt } from '../../core/json.ts'
import { placeOf } from '../../domain/advice.ts'
import { servesWorkloads } from '../../domain/gcp-cluster.ts'
import type { Grant } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { openIn } from '../../probes/gcp/account.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { metadataLabel } from '../../probes/gcp/node.ts'
import { googlePod } from '../../probes/gcp/pod.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const nodeAccount = /^\d+-compute@developer\.gserviceaccount\.com$/
const emulatorMode = 'node.gke-metadata-server.matheuscscp.io/routingMode'

export const check = defineCheck({
  meta: {
    id: 'gcp/pod-is-served-by-metadata-server',
    title: "The pod's metadata requests are answered by the GKE metadata server, as the pod's own identity",
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Node',
    why: 'Only what asks the metadata server of GKE from the address of its own pod gets the identity of the pod; everything else gets that of the node.',
    fix: {
      safety: 'review',
      does: 'Set or take out the nodeSelector in the pod template; never take hostNetwork away from a workload that needs it, and never convert a node pool for it.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/GoogleCloudPlatform/oss-test-infra/pull/2476',
      'https://github.com/GoogleCloudPlatform/gcpdiag/blob/main/gcpdiag/lint/gke/err_2023_011_wi_pod_ip_not_found.py',
      'https://github.com/googleapis/gcp-metadata/issues/215',
      'https://github.com/googleapis/google-api-java-client/issues/1396',
      'https://github.com/GoogleCloudPlatform/k8s-node-termination-handler/issues/23',
      'https://github.com/matheuscscp/gke-metadata-server/issues/424',
    ],
  },
  only: { probe: googlePod, otherwise: 'the pod is bound to no identity of Google' },
  needs: { googlePod },
  wants: {},
  after: ['gcp/node-runs-metadata-server'],
  // On the host network both say the same.
  covers: ['workload/network-leads-to-the-token-endpoint'],
  messages: {
    'host-network': say(
      'pod {pod} uses hostNetwork, so it gets the node account {nodeServiceAccount} and not the identity of {namespace}/{serviceAccount}',
    ),
    'may-land-elsewhere': say(
      'nothing keeps {workload} on nodes with the metadata server: node pools {without} lack it, {with} have it, and the pod has no nodeSelector iam.gke.io/gke-metadata-server-enabled',
    ),
    'autopilot-refuses-selector': say(
      'Autopilot refuses nodeSelector iam.gke.io/gke-metadata-server-enabled in {workload}; expected none, every Autopilot node has the metadata server',
    ),
    'answers-as-node': say(
      'the metadata address answers pod {pod} as {email}, the account of its node; expected {expected}',
    ),
    'answered-by-another-server': say(
      'something else than the metadata server answered {address}: response header Metadata-Flavor is {observed}, expected Google',
    ),
    'taken-by-emulator': say(
      'the gke-metadata-server emulator on {node} takes 169.254.169.254 (routing mode {mode}), where pods of this EKS cluster look for AWS instance metadata',
    ),
    'source-address-unknown': say(
      'the metadata server knows no pod with source address {ip}: the caller is not an ordinary pod, or its address was rewritten',
    ),
    'path-not-served': say('{client} asks for {path}, which the GKE metadata server does not serve'),
    'flavor-header-missing': say(
      '{client} sends no Metadata-Flavor header; expected "Metadata-Flavor: Google" on every request',
    ),
  },
  remedies: {
    'host-network': advise(
      'Run {workload} without hostNetwork where it can do so; where it cannot, only the CSI driver has an identity of its own there (volume attribute hostNetworkPodKSA).',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'may-land-elsewhere': advise(
      'Add nodeSelector iam.gke.io/gke-metadata-server-enabled: "true" to the pod template of {workload}.',
      'kubectl get nodes -L iam.gke.io/gke-metadata-server-enabled',
    ),
    'autopilot-refuses-selector': advise(
      'Take nodeSelector iam.gke.io/gke-metadata-server-enabled out of the pod template of {workload}; every node of Autopilot has the metadata server.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'answers-as-node': advise(
      'See on which node pool {pod} runs and whether that has workload metadata mode GKE_METADATA; then have the pod made anew there.',
      'kubectl get pod {pod} -n {namespace} -o wide',
    ),
    'answered-by-another-server': advise(
      'Find what answers at the metadata address (a proxy, an emulator, a variable that names another host) and take it out of the way.',
      'kubectl get pods -n {namespace} -o yaml',
    ),
    'taken-by-emulator': advise(
      'Give the emulator on {node} another routing mode, or keep pods that need AWS instance metadata off that node.',
      'kubectl get node {node} -o yaml',
    ),
    'source-address-unknown': advise(
      'Find who asks from {ip}: a legacy agent of the node, or something that rewrites the source address of pods; it is no ordinary pod.',
      'kubectl get pods -A -o wide',
    ),
    'path-not-served': advise(
      'Have the client do without {path}, by its own settings; the GKE metadata server serves names of the project, the cluster and the identity only.',
    ),
    'flavor-header-missing': advise(
      'Have the client send the header Metadata-Flavor: Google on every request; a library of Google does so by itself.',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googlePod.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod is bound to no identity of Google' }
    const { world, fact, pod, google, heard, look, node, hostNetworkIdentity, servers } = have.googlePod.value
    const texts = heardFor(heard, 'gcp/pod-is-served-by-metadata-server')
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const cluster = world.cluster.state === 'known' ? world.cluster.value : undefined
    const pools = world.nodePools.state === 'known' ? world.nodePools.value.items : []
    const accounts = pools.map(({ account }) => account)
    const isOfPool = ({ member }: Grant): boolean => member.includes('.svc.id.goog')
    const bound = google !== undefined && (google.annotation !== undefined || google.grants.some(isOfPool))
    const maybeBound = google !== undefined && !bound && google.openGrants.some(isOfPool)
    const expected = google?.email ?? cluster?.pool ?? 'the identity of the pod'
    const evidence: Evidence[] = []
    if (pod !== undefined) {
      evidence.push(evidenceOf(fact.from, 'spec.hostNetwork', pod.hostNetwork))
      if (pod.hostNetwork && !hostNetworkIdentity && bound && world.gke)
        return {
          status: 'fail',
          message: 'host-network',
          data: { ...place, pod: pod.name, nodeServiceAccount: accounts[0] ?? '', serviceAccount: pod.serviceAccount },
          evidence,
        }
      const selector = pod.nodeSelector[metadataLabel]
      const poolWanted = pod.nodeSelector['cloud.google.com/gke-nodepool']
      const without = pools.filter((one) => !servesWorkloads(one)).map(({ name }) => name)
      const serving = pools.filter(servesWorkloads).map(({ name }) => name)
      const settled = selector === 'true' || (poolWanted !== undefined && serving.includes(poolWanted))
      if (cluster?.autopilot === true && selector !== undefined)
        return {
          status: 'fail',
          message: 'autopilot-refuses-selector',
          data: place,
          evidence: [evidenceOf(fact.from, `spec.nodeSelector["${metadataLabel}"]`, selector, null)],
        }
      if (
        cluster?.autopilot !== true &&
        without.length > 0 &&
        serving.length > 0 &&
        !settled &&
        bound &&
        !pod.hostNetwork
      )
        return {
          status: 'fail',
          message: 'may-land-elsewhere',
          data: { ...place, without: without.join(', '), with: serving.join(', ') },
          evidence: [evidenceOf(fact.from, `spec.nodeSelector["${metadataLabel}"]`, selector ?? null, 'true')],
        }
    }
    const seen = look.state === 'known' ? look.value : undefined
    const inside = seen === undefined ? [] : [evidenceOf(look.from, 'email', seen.email ?? null, expected)]
    if (
      seen?.email !== undefined &&
      (nodeAccount.test(seen.email) || accounts.includes(seen.email)) &&
      seen.email !== google?.email
    )
      return {
        status: 'fail',
        message: 'answers-as-node',
        data: { ...place, pod: pod?.name ?? '', email: seen.email, expected },
        evidence: inside,
      }
    if (seen?.flavor !== undefined && seen.flavor !== 'Google')
      return {
        status: 'fail',
        message: 'answered-by-another-server',
        data: { ...place, address: seen.address ?? '169.254.169.254', observed: seen.flavor },
        evidence: [evidenceOf(look.from, 'flavor', seen.flavor, 'Google')],
      }
    const other = texts.find(({ message }) => message === 'answered-by-another-server')
    if (other !== undefined)
      return {
        status: 'fail',
        message: 'answered-by-another-server',
        data: { ...place, address: 'the metadata address', observed: 'another or none' },
        evidence: [ofHeard(other)],
      }
    const mode = node.state === 'known' ? textAt(node.value, 'metadata', 'annotations', emulatorMode) : undefined
    const onEks = node.state === 'known' && textAt(node.value, 'spec', 'providerID')?.startsWith('aws:') === true
    if (mode !== undefined && onEks && /ebpf/i.test(mode))
      return {
        status: 'fail',
        message: 'taken-by-emulator',
        data: { ...place, node: pod?.node ?? '', mode },
        evidence: [evidenceOf(node.from, `metadata.annotations["${emulatorMode}"]`, mode)],
      }
    for (const text of texts) {
      const data = { ...place, client: 'the client', ip: '', ...text.values }
      if (text.message === 'source-address-unknown')
        return { status: 'fail', message: 'source-address-unknown', data, evidence: [ofHeard(text)] }
      if (text.message === 'path-not-served')
        return { status: 'fail', message: 'path-not-served', data, evidence: [ofHeard(text)] }
      if (text.message === 'flavor-header-missing')
        return { status: 'fail', message: 'flavor-header-missing', data, evidence: [ofHeard(text)] }
    }
    if (!world.gke) return { status: 'not-applicable', reason: 'nothing shows that the cluster is one of GKE' }
    if (pod === undefined) return undecidedBy(fact, evidence)
    if (isOpen(look)) return undecidedBy(look, evidence)
    if (isOpen(servers)) return undecidedBy(servers, evidence)
    if (maybeBound) return undecidedBy(openIn(world), evidence)
    const asExpected = seen?.email !== undefined && [google?.email, cluster?.pool].includes(seen.email)
    if (seen?.email !== undefined && !asExpected && !seen.email.startsWith('principal:'))
      return {
        status: 'undecided',
        lacks: `whose account ${seen.email} is was not seen`,
        evidence: [...evidence, ...inside],
      }
    const labelled = node.state === 'known' && textAt(at(node.value, 'metadata', 'labels'), metadataLabel) === 'true'
    if (labelled || cluster?.autopilot === true || seen?.email !== undefined)
      return { status: 'pass', evidence: [...evidence, ...inside] }
    return pools.length > 0 ? { status: 'pass', evidence } : undecidedBy(world.nodePools, evidence)
  },
})
