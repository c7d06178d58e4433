/** Has the sidecar leave the metadata address alone and start first, or registers exactly the hosts that the mesh does not know. */
import { check } from '../../checks/gcp/mesh-lets-metadata-through.ts'
import type { MessageData } from '../../core/check.ts'
import { textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { word } from '../../domain/gcp-words.ts'
import { createObject, type Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, named, type Template } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = {}
const wants = { template }
type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

const ranges = 'traffic.sidecar.istio.io/excludeOutboundIPRanges'
const proxyConfig = 'proxy.istio.io/config'
const metadata = '169.254.169.254/32'

const annotation = ({ template }: Template, key: string, next: (before: string | undefined) => string | undefined) => {
  const path = ['metadata', 'annotations', key]
  const before = textAt(template, ...path)
  const after = next(before)
  return after === undefined || after === before
    ? undefined
    : ({ path, ...(before === undefined ? {} : { before }), after } satisfies Edit)
}

/** Other settings in it are for whoever wrote them. */
const hold = (before: string | undefined): string | undefined =>
  before === undefined ? '{ "holdApplicationUntilProxyStarts": true }' : undefined

const spare = (before: string | undefined): string =>
  before?.includes(metadata) ? before : [before, metadata].filter(Boolean).join(',')

function annotated({ want: { template } }: Brief, edits: (held: Template) => readonly (Edit | undefined)[]): Proposal {
  const held = template.state === 'known' ? template.value : undefined
  const [first, ...rest] = held === undefined ? [] : edits(held).filter((one) => one !== undefined)
  if (held === undefined || first === undefined) return byHand
  const summary = `Have the sidecar of ${named(held)} leave metadata requests alone and start before its containers`
  return [{ summary, safety: 'review', ...changeTemplate(held, [first, ...rest]) }]
}

function register({ data }: Brief): Proposal {
  const hosts = word(data, 'hosts')
    .split(' and ')
    .filter((host) => /^[a-z]+\.googleapis\.com$/.test(host))
  const namespace = word(data, 'namespace')
  if (hosts.length === 0 || namespace === '') return byHand
  const place = { resource: 'serviceentries', namespace, name: 'google-token-endpoints' }
  const object = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: place.name, namespace },
    spec: {
      hosts,
      exportTo: ['.'],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    },
  }
  const summary = `Register ${hosts.join(' and ')} in ServiceEntry ${place.name} of namespace ${namespace}`
  return [{ summary, safety: 'review', ...createObject(place, object) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'proxy-captures-metadata': (brief: Brief) =>
      annotated(brief, (held) => [annotation(held, ranges, spare), annotation(held, proxyConfig, hold)]),
    'application-starts-before-proxy': (brief: Brief) =>
      annotated(brief, (held) => [annotation(held, proxyConfig, hold)]),
    'registry-only-without-entry': register,
  },
})
