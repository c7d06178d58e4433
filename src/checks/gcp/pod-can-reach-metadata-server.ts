/** Network policies and the dataplane let the pod reach the metadata server. */

import type { Evidence } from '../../core/check.ts'
import { defineCheck } from '../../core/check.ts'
import { nodeSide } from '../../domain/gcp-network.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleNetwork } from '../../probes/gcp/network.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/pod-can-reach-metadata-server',
    title: 'Network policies and the dataplane let the pod reach the metadata server',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Network',
    why: 'A policy that restricts egress and leaves the metadata address out makes every request for a token time out.',
    fix: {
      safety: 'review',
      does: 'Add one egress rule for both metadata addresses to the policy that already restricts the pod; never make a new egress policy, never use node addresses or the host entity.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://github.com/Smana/runlore/issues/562',
      'https://github.com/gke-labs/kube-agents/pull/777',
      'https://github.com/gke-labs/kube-agents/pull/805',
      'https://github.com/tryretool/retool-helm/issues/375',
      'https://github.com/projectcalico/calico/issues/7458',
      'https://github.com/cilium/cilium/issues/28655',
    ],
  },
  only: { probe: googleNetwork, otherwise: 'the pod is no pod of GKE that is bound to Google' },
  needs: { googleNetwork },
  wants: {},
  after: ['gcp/node-runs-metadata-server'],
  covers: ['workload/network-leads-to-the-token-endpoint'],
  messages: {
    'egress-policy-omits-metadata': say(
      'policy {policy} restricts egress of {pod} to {allowed}; on {dataplane} it has to allow {cidr} TCP {port} as well',
    ),
    'cilium-host-entity': say(
      'Cilium policy {policy} allows entity {entity}, which does not match 169.254.169.254; expected toCIDR 169.254.169.254/32',
    ),
    'calico-ingress-deny': say(
      'Calico policy {policy} denies all ingress to {pod}; requests to the metadata server then time out although egress is allowed',
    ),
    'cilium-host-routing': say(
      'self-managed Cilium {version} with bpf.masquerade does not carry pod traffic to 169.254.169.252; expected bpf.hostLegacyRouting=true',
    ),
    'name-does-not-resolve': say(
      'metadata.google.internal does not resolve in {pod}, while 169.254.169.254 answers; allow DNS to {dnsServer} or set GCE_METADATA_HOST=169.254.169.254',
    ),
    'timed-out': say('requests from {pod} to {address} time out, and no collected policy explains it'),
  },
  remedies: {
    'egress-policy-omits-metadata': advise(
      'Add one egress rule to policy {policy}, which restricts the pod already: ipBlock 169.254.169.254/32 TCP 80 and ipBlock 169.254.169.252/32 TCP 988. A new policy of its own would cut DNS and Services off.',
      'kubectl get networkpolicies -n {namespace} -o yaml',
    ),
    'cilium-host-entity': advise(
      'Add toCIDR 169.254.169.254/32 with port 80 TCP to the egress rules of Cilium policy {policy}; the entity host does not match it.',
      'kubectl get ciliumnetworkpolicies -n {namespace} -o yaml',
    ),
    'calico-ingress-deny': advise(
      'Allow the ingress that {pod} needs in Calico policy {policy} in the place of the plain Deny, and see whether the requests still time out.',
      'kubectl get networkpolicies.crd.projectcalico.org -n {namespace} -o yaml',
    ),
    'cilium-host-routing': advise(
      'Set bpf.hostLegacyRouting=true in the values of Cilium, which restarts its agents; try it on one node first.',
      'kubectl get configmap cilium-config -n kube-system -o yaml',
    ),
    'name-does-not-resolve': advise(
      'Allow DNS from {pod} to the name server of the cluster, or set GCE_METADATA_HOST=169.254.169.254 in its template.',
      'kubectl get networkpolicies -n {namespace} -o yaml',
    ),
    'timed-out': advise(
      'See on which node the pod runs and whether the metadata server answers there; then collect the network policies of its namespace.',
      'kubectl get pods -n kube-system -l k8s-app=gke-metadata-server -o wide',
      'kubectl get networkpolicies -n {namespace} -o yaml',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleNetwork.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod is no pod of GKE that is bound to Google' }
    const { google, judged, certain, seen, unseen, cilium } = have.googleNetwork.value
    const { pod, fact, heard, look, world } = google
    const cluster = world.cluster.state === 'known' ? world.cluster.value : undefined
    const texts = heardFor(heard, 'gcp/pod-can-reach-metadata-server').filter(({ message }) => message === 'timed-out')
    const data = { namespace: pod?.namespace ?? subject.namespace ?? '', pod: pod?.name ?? subject.name }
    const observed = texts.map(ofHeard)
    const evidence: Evidence[] = [
      ...judged.map(({ policy, allowed, allows }) =>
        evidenceOf(
          fact.from,
          `policy ${policy}: egress`,
          allows === true ? `lets the metadata address through` : allowed,
        ),
      ),
      ...observed,
    ]
    // What any of the policies allows counts for all of one kind; Cilium and Calico are judged beside those of Kubernetes.
    for (const kind of ['kubernetes', 'cilium', 'calico'] as const) {
      const own = judged.filter((one) => one.kind === kind)
      if (own.length === 0 || own.some(({ allows }) => allows !== false)) continue
      const [first] = own
      const entity = own.find((one) => one.entity !== undefined)
      if (entity?.entity !== undefined)
        return {
          status: 'fail',
          message: 'cilium-host-entity',
          data: { ...data, policy: entity.policy, entity: entity.entity },
          evidence,
        }
      if (first === undefined || (kind === 'calico' && texts.length === 0)) continue
      const v2 = cluster?.dataplane === 'ADVANCED_DATAPATH'
      const port = cluster === undefined || v2 ? 80 : nodeSide.port
      return {
        status: 'fail',
        message: 'egress-policy-omits-metadata',
        data: {
          ...data,
          policy: first.policy,
          allowed: first.allowed,
          dataplane: cluster === undefined ? 'any dataplane' : v2 ? 'Dataplane V2' : 'the iptables dataplane',
          cidr: port === 80 ? '169.254.169.254/32' : `${nodeSide.ip}/32`,
          port,
        },
        evidence,
      }
    }
    const denying = judged.find(({ deniesIngress }) => deniesIngress)
    if (denying !== undefined && texts.length > 0)
      return { status: 'fail', message: 'calico-ingress-deny', data: { ...data, policy: denying.policy }, evidence }
    if (
      cilium?.masquerades === true &&
      !cilium.hostRouting &&
      texts.length > 0 &&
      cluster?.dataplane !== 'ADVANCED_DATAPATH'
    )
      return {
        status: 'fail',
        message: 'cilium-host-routing',
        data: { ...data, version: cilium.version ?? '' },
        evidence,
      }
    if (look.state === 'known' && look.value.resolves === false && look.value.email !== undefined)
      return {
        status: 'fail',
        message: 'name-does-not-resolve',
        data: { ...data, dnsServer: 'the name server of the cluster' },
        evidence: [evidenceOf(look.from, 'resolves', false, true)],
      }
    const [text] = texts
    if (text !== undefined)
      return { status: 'fail', message: 'timed-out', data: { ...data, address: '169.254.169.254' }, evidence }
    if (look.state === 'known' && look.value.email !== undefined)
      return { status: 'pass', evidence: [...evidence, evidenceOf(look.from, 'email', look.value.email)] }
    if (pod === undefined) return undecidedBy(fact)
    if (unseen !== undefined) return undecidedBy(unseen, evidence)
    if (isOpen(look)) return undecidedBy(look, evidence)
    if (judged.some(({ allows }) => allows === undefined))
      return { status: 'undecided', lacks: 'a network policy uses words that are not understood here', evidence }
    if (!certain) return undecidedBy(world.cluster, evidence)
    return seen
      ? {
          status: 'pass',
          evidence:
            evidence.length > 0 ? evidence : [evidenceOf(fact.from, 'network policies', 'none selects the pod')],
        }
      : {
          status: 'undecided',
          lacks: 'the network policies around the pod were not seen',
          lift: 'kubectl get networkpolicies -A -o yaml',
          evidence,
        }
  },
})
