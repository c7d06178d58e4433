/** Adds one egress rule for the metadata addresses to the policy that restricts the pod already; no policy is made, no deny is taken away. */
import { check } from '../../checks/gcp/pod-can-reach-metadata-server.ts'
import type { MessageData } from '../../core/check.ts'
import type { Json } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { clientSide, type Judged, nodeSide } from '../../domain/gcp-network.ts'
import { word } from '../../domain/gcp-words.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { googleNetwork } from '../../probes/gcp/network.ts'

const needs = { googleNetwork }
type Brief = ProposalBrief<typeof needs, Record<never, never>, MessageData>

const doors = [clientSide, nodeSide]
/** Peers and ports of one rule multiply: each address has a rule of its own, so that neither is open on the port of the other. */
const rules: { readonly [kind in Judged['kind']]?: readonly Json[] } = {
  kubernetes: doors.map(({ ip, port }) => ({
    to: [{ ipBlock: { cidr: `${ip}/32` } }],
    ports: [{ protocol: 'TCP', port }],
  })),
  cilium: doors.map(({ ip, port }) => ({
    toCIDR: [`${ip}/32`],
    toPorts: [{ ports: [{ port: String(port), protocol: 'TCP' }] }],
  })),
}

function admit({ have: { googleNetwork }, data }: Brief): Proposal {
  const judged = googleNetwork.state === 'absent' ? [] : googleNetwork.value.judged
  const { object, kind } = judged.find(({ policy }) => policy === word(data, 'policy')) ?? {}
  const own = kind === undefined ? undefined : rules[kind]
  const [first, ...rest] = own ?? []
  // Calico's rules have an order, which is for a person.
  if (object === undefined || first === undefined) return byHand
  const { isListed, ...place } = object
  const path = ['spec', 'egress']
  const edits = [first, ...rest].map((rule) => ({ path: [...path, '-'], after: rule }))
  const [one = { path, after: [first] }, ...others] = isListed ? edits : [{ path, after: [first, ...rest] }]
  const where = place.namespace === undefined ? '' : ` in namespace ${place.namespace}`
  const what = doors.map(({ ip, port }) => `${ip}:${port}`).join(' and ')
  return [
    {
      summary: `Let network policy ${place.name}${where} admit the metadata server at ${what}`,
      safety: 'review',
      ...patchObject(place, [one, ...others]),
    },
  ]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'egress-policy-omits-metadata': admit, 'cilium-host-entity': admit },
})
