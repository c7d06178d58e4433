/** Lets everybody read the two documents of the API server that show public keys, and nothing else. */
import { check } from '../../checks/cluster/discovery-is-public.ts'
import { type JsonObject, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Effect, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { isClusterInternal, isPrivateAddress, parseIssuer } from '../../domain/issuer-url.ts'
import { createObject } from '../../domain/kubernetes-changes.ts'
import { oidc } from '../../domain/questions.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { ownKeySet } from '../../probes/cluster/own-keys.ts'
import { ownDiscovery } from '../../probes/cluster/published.ts'

const needs = { issuer, ownDiscovery, ownKeySet }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

const name = 'service-account-issuer-discovery-for-all'
const binding: JsonObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:service-account-issuer-discovery',
  },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }],
}

function open({ have: { issuer, ownDiscovery, ownKeySet } }: Brief): Proposal {
  if (issuer.state === 'absent' || ownDiscovery.state === 'absent' || ownKeySet.state === 'absent') return byHand
  const named = issuer.value.issuer
  const uri = textAt(ownDiscovery.value, 'jwks_uri') ?? ''
  const keys = parseIssuer(uri)
  // The binding opens this API server alone: it helps where that is who answers for the issuer, and the keys lie there too.
  if (textAt(ownDiscovery.value, 'issuer') !== named || keys?.scheme !== 'https') return byHand
  if (isClusterInternal(keys.host) || isPrivateAddress(keys.host) || keys.host !== parseIssuer(named)?.host)
    return byHand
  const answer = (url: string, document: JsonObject): JsonObject => ({
    url,
    status: 200,
    contentType: 'application/json',
    document,
  })
  const changed = createObject({ resource: 'clusterrolebindings', name }, binding)
  const seenByAll: readonly Effect[] = [
    {
      question: oidc.discovery(named),
      path: [],
      after: answer(`${named.replace(/\/$/, '')}/.well-known/openid-configuration`, ownDiscovery.value),
    },
    { question: oidc.keys(uri), path: [], after: answer(uri, ownKeySet.value) },
  ]
  const [own] = changed.effects
  const summary =
    "Let everybody read the API server's discovery document and public keys, by a ClusterRoleBinding for these two alone"
  return [{ summary, safety: 'review', ...changed, effects: [own, ...seenByAll] }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'no-anonymous-binding': open } })
