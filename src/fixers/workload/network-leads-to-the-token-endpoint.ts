/** Adds the place that credentials come from to the policy that already restricts the pod, or to what its sidecar or proxy leaves alone. */
import { check } from '../../checks/workload/network-leads-to-the-token-endpoint.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { metadataDoors } from '../../domain/credential-endpoints.ts'
import { type Edit, patchObject } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, containersIn, named, variableIn } from '../../domain/template-changes.ts'
import { egressRules } from '../../probes/workload/egress-rules.ts'
import { template } from '../../probes/workload/template.ts'

const needs = {}
const wants = { egressRules, template }
type Brief<D> = ProposalBrief<typeof needs, typeof wants, D>

const block = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`
const door = (address: string, port: number): Json => ({
  to: [{ ipBlock: { cidr: block(address) } }],
  ports: [{ protocol: 'TCP', port }],
})
const dns: Json = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}

function admit({ want: { egressRules } }: Brief<unknown>, what: string, rules: readonly Json[]): Proposal {
  const held = egressRules.state === 'known' ? egressRules.value : undefined
  if (held === undefined) return byHand
  const { name, namespace, egress } = held
  const edit: Edit = {
    path: ['spec', 'egress'],
    ...(egress === undefined ? {} : { before: egress }),
    after: [...(egress ?? []), ...rules],
  }
  const summary = `Let NetworkPolicy ${name} in namespace ${namespace} admit ${what}`
  return [{ summary, safety: 'review', ...patchObject({ resource: 'networkpolicies', namespace, name }, [edit]) }]
}

function spareByProxy({ want: { template }, data: { address } }: Brief<{ address: string }>): Proposal {
  if (template.state !== 'known') return byHand
  const through = containersIn(template.value).filter(({ json }) =>
    listAt(json, 'env').some((one) => /^HTTP_PROXY$/i.test(textAt(one, 'name') ?? '')),
  )
  const edits = through.map((container) =>
    ['NO_PROXY', 'no_proxy'].flatMap((name): Edit[] => {
      const held = variableIn(container, name)
      return held === undefined
        ? []
        : [{ path: held.path, before: held.value, after: [held.value, address].filter(Boolean).join(',') }]
    }),
  )
  const [first, ...rest] = edits.flat()
  // A proxy that comes from elsewhere, or has no list of exceptions yet, is for a person.
  if (first === undefined || edits.some((one) => one.length === 0)) return byHand
  const summary = `Add ${address} to NO_PROXY in the pod template of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [first, ...rest]) }]
}

function spareByMesh({
  want: { template },
  data,
}: Brief<{ mesh: string; address: string; annotation: string }>): Proposal {
  // Linkerd goes by ports, and port 80 is many others' too.
  if (template.state !== 'known' || data.mesh !== 'Istio') return byHand
  const path = ['metadata', 'annotations', data.annotation]
  const before = textAt(template.value.template, ...path)
  const after = [before, block(data.address)].filter(Boolean).join(',')
  const summary = `Have the sidecar of ${named(template.value)} leave ${data.address} alone`
  const edit: Edit = { path, ...(before === undefined ? {} : { before }), after }
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'metadata-blocked': (brief) =>
      admit(
        brief,
        metadataDoors.map(({ address, port }) => `${address}:${port}`).join(' and '),
        metadataDoors.map(({ address, port }) => door(address, port)),
      ),
    'agent-blocked': (brief: Brief<{ address: string }>) =>
      admit(brief, `${brief.data.address}:80, the EKS Pod Identity agent`, [door(brief.data.address, 80)]),
    'dns-blocked': (brief) => admit(brief, 'DNS in namespace kube-system', [dns]),
    // The addresses of a cloud change: to admit its hosts is to admit everybody on port 443.
    'mesh-intercepts': spareByMesh,
    'proxy-intercepts': spareByProxy,
  },
})
