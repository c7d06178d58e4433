/** Installs the add-on of the Pod Identity agent, or has it listen on IPv4 only. */
import { check } from '../../checks/aws/pod-identity-agent-running.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { configureAddon, installAddon } from '../../domain/aws-role-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { cluster } from '../../probes/aws/cluster.ts'

const needs = { cluster }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly node: string }>

const addon = 'eks-pod-identity-agent'
const namespace = 'kube-system'
/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-config-ipv6.html */
const onlyIpv4 = { agent: { additionalArgs: { '-b': '169.254.170.23' } } }

function install({ have: { cluster }, data: { node } }: Brief): Proposal {
  if (cluster.state === 'absent') return byHand
  const { name } = cluster.value
  const { effects, ...rest } = installAddon(name, addon)
  const [own, ...others] = effects
  const spec = { hostNetwork: true, containers: [{ name: addon }] }
  const labels = { 'app.kubernetes.io/name': addon }
  const daemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { namespace, name: addon },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    status: { desiredNumberScheduled: 1, numberReady: 1 },
  }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: `${addon}-${node}`, labels },
    spec: { ...spec, nodeName: node },
    status: { phase: 'Running' },
  }
  return [
    {
      summary: `Install the add-on ${addon} in cluster ${name}`,
      safety: 'review',
      ...rest,
      effects: [
        own,
        ...others,
        { question: kubernetes.get('daemonsets', namespace, addon), path: [], after: daemonSet },
        { question: kubernetes.get('pods', namespace, pod.metadata.name), path: [], after: pod },
      ],
    },
  ]
}

/** EKS replaces the settings whole: an add-on that has some of its own is refused when it is looked at. */
function withoutIpv6({ have: { cluster } }: Brief): Proposal {
  if (cluster.state === 'absent') return byHand
  const { name } = cluster.value
  const summary = `Have the add-on ${addon} of cluster ${name} listen on 169.254.170.23 alone`
  return [{ summary, safety: 'review', ...configureAddon(name, addon, onlyIpv4) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'not-installed': install, 'ipv6-disabled': withoutIpv6 },
})
