/** The service mesh leaves metadata and token requests alone. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleMesh } from '../../probes/gcp/network.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const ranges = 'traffic.sidecar.istio.io/excludeOutboundIPRanges'
const proxyConfig = 'proxy.istio.io/config'
/** Checks whose texts tell of metadata or credentials that did not come. */
const troubled: ReadonlySet<string> = new Set([
  'gcp/pod-can-reach-metadata-server',
  'gcp/client-waits-for-metadata-server',
  'gcp/token-endpoints-answer',
])
const covers = (host: string, wanted: string): boolean =>
  host === wanted || host === '*' || (host.startsWith('*.') && wanted.endsWith(host.slice(1)))

export const check = defineCheck({
  meta: {
    id: 'gcp/mesh-lets-metadata-through',
    title: 'The service mesh leaves metadata and token requests alone',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Network',
    why: 'A sidecar that captures metadata requests, or that is up later than the application, breaks the first request for a token.',
    fix: {
      safety: 'review',
      does: 'Add the two annotations to the pod template, or a ServiceEntry for exactly the missing hosts; never switch the mesh to ALLOW_ANY, never turn injection off.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/istio.md',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/issues/40',
      'https://github.com/GoogleCloudPlatform/datashare-toolkit/issues/478',
    ],
  },
  only: { probe: googleMesh, otherwise: 'the pod has no sidecar of a mesh' },
  needs: { googleMesh },
  wants: {},
  after: ['gcp/node-runs-metadata-server'],
  covers: ['workload/network-leads-to-the-token-endpoint'],
  messages: {
    'proxy-captures-metadata': say(
      'the sidecar of {pod} captures metadata requests: traffic.sidecar.istio.io/excludeOutboundIPRanges is {observed}, expected it to contain 169.254.169.254/32',
    ),
    'application-starts-before-proxy': say(
      'containers of {pod} start before their proxy: proxy.istio.io/config is {observed}, expected holdApplicationUntilProxyStarts true',
    ),
    'registry-only-without-entry': say(
      'the mesh forwards only to registered hosts (outboundTrafficPolicy {mode}) and no ServiceEntry covers {hosts}',
    ),
  },
  remedies: {
    'proxy-captures-metadata': advise(
      'Add the annotation traffic.sidecar.istio.io/excludeOutboundIPRanges: 169.254.169.254/32 to the pod template of {workload}.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'application-starts-before-proxy': advise(
      'Add the annotation proxy.istio.io/config with holdApplicationUntilProxyStarts: true to the pod template of {workload}.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'registry-only-without-entry': advise(
      'Register {hosts} in a ServiceEntry of the mesh: location MESH_EXTERNAL, port 443 TLS, resolution DNS.',
      'kubectl get serviceentries -A -o yaml',
    ),
  },
  judge: ({ have }) => {
    if (have.googleMesh.state === 'absent' || have.googleMesh.value.google.pod === undefined)
      return { status: 'not-applicable', reason: 'the pod has no sidecar of a mesh' }
    const { google, mode, entries } = have.googleMesh.value
    const { pod, fact, heard } = google
    if (pod === undefined) return { status: 'not-applicable', reason: 'the pod was not seen' }
    const data = { namespace: pod.namespace, workload: workloadOf(pod), pod: pod.name }
    const texts = heard.filter(({ check }) => troubled.has(check))
    const excluded = pod.annotations[ranges]
    const hold = pod.annotations[proxyConfig]
    const evidence = [
      evidenceOf(fact.from, `metadata.annotations["${ranges}"]`, excluded ?? null, '169.254.169.254/32'),
      evidenceOf(fact.from, `metadata.annotations["${proxyConfig}"]`, hold ?? null),
      ...texts.map(ofHeard),
    ]
    const passes =
      excluded
        ?.split(',')
        .some((one) => ['169.254.169.254/32', '169.254.0.0/16', '0.0.0.0/0', '*'].includes(one.trim())) === true
    if (texts.length > 0 && !passes)
      return {
        status: 'fail',
        message: 'proxy-captures-metadata',
        data: { ...data, observed: excluded ?? 'not set' },
        evidence,
      }
    if (texts.length > 0 && !/holdApplicationUntilProxyStarts["']?\s*:\s*true/.test(hold ?? ''))
      return {
        status: 'fail',
        message: 'application-starts-before-proxy',
        data: { ...data, observed: hold ?? 'not set' },
        evidence,
      }
    if (mode.state === 'unknown') return undecidedBy(mode, evidence)
    if (mode.state === 'known' && mode.value === 'REGISTRY_ONLY') {
      if (entries.state === 'unknown') return undecidedBy(entries, evidence)
      const hosts = entries.state === 'known' ? entries.value.hosts : []
      const lacking = ['sts.googleapis.com', 'iamcredentials.googleapis.com'].filter(
        (wanted) => !hosts.some((host) => covers(host, wanted)),
      )
      if (lacking.length > 0 && (entries.state !== 'known' || entries.value.complete))
        return {
          status: 'fail',
          message: 'registry-only-without-entry',
          data: { ...data, mode: mode.value, hosts: lacking.join(' and ') },
          evidence: [
            evidenceOf(mode.from, 'data.mesh: outboundTrafficPolicy.mode', mode.value),
            evidenceOf(entries.from, 'items[].spec.hosts', [...hosts]),
          ],
        }
      if (lacking.length > 0)
        return {
          status: 'undecided',
          lacks: 'not all ServiceEntries were seen',
          lift: 'kubectl get serviceentries -A -o yaml',
          evidence,
        }
    }
    return { status: 'pass', evidence }
  },
})
