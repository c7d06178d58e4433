/** Adds the authority that signs now to the bundle of the identity webhook; those that are in it stay. */
import { check } from '../../checks/cluster/webhook-ca-bundle-verifies.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject, pinned } from '../../domain/kubernetes-changes.ts'
import { isManaged } from '../../domain/webhooks.ts'
import { type Parsed, plainPem } from '../../probes/cluster/pem.ts'
import {
  clusterAuthority,
  servingCertificate,
  siblingBundles,
  webhookBundles,
} from '../../probes/cluster/webhook-trust.ts'
import { webhookConfiguration } from '../../probes/cluster/webhooks.ts'

const needs = { webhookConfiguration, webhookBundles }
const wants = { clusterAuthority, siblingBundles, servingCertificate }
type Brief = ProposalBrief<typeof needs, typeof wants, { webhook: string; configuration: string }>

/** What writes the bundle by itself, and would write it again. */
const injectors = [
  'cert-manager.io/inject-ca-from',
  'cert-manager.io/inject-ca-from-secret',
  'cert-manager.io/inject-apiserver-ca',
]

function add({ have, want, data }: Brief): Proposal {
  if (have.webhookConfiguration.state === 'absent' || have.webhookBundles.state === 'absent') return byHand
  const { annotations } = have.webhookConfiguration.value
  const held = have.webhookBundles.value.find(({ webhook }) => webhook.name === data.webhook)
  if (held === undefined || injectors.some((key) => key in annotations)) return byHand
  const { webhook, bundle } = held
  const { clusterAuthority, siblingBundles, servingCertificate } = want
  const references = [
    ...(clusterAuthority.state === 'known' ? clusterAuthority.value.certificates : []),
    ...(siblingBundles.state === 'known' ? siblingBundles.value.flatMap(({ certificates }) => certificates) : []),
  ]
  const leaf =
    servingCertificate.state === 'known'
      ? servingCertificate.value.served.find((one) => one.webhook === data.webhook)?.leaf
      : undefined
  // Of an authority that is not the leaf itself only the name is known, and a name verifies nothing.
  const current: readonly Parsed[] = isManaged(webhook)
    ? references
    : leaf !== undefined && leaf.issuer === leaf.subject
      ? [leaf]
      : []
  const known = new Set(bundle.certificates.map(({ fingerprint }) => fingerprint))
  const missing = new Map(current.flatMap((one) => (known.has(one.fingerprint) ? [] : [[one.fingerprint, one.pem]])))
  if (missing.size === 0 || bundle.bad > 0) return byHand
  const together = [plainPem(webhook.caBundle).trimEnd(), ...missing.values(), ''].join('\n')
  const edit = {
    path: ['webhooks', webhook.index, 'clientConfig', 'caBundle'],
    before: webhook.caBundle,
    after: btoa(together),
  }
  const place = { resource: 'mutatingwebhookconfigurations', name: data.configuration }
  const summary = `Add the CA that signs now to the caBundle of ${data.webhook} in ${data.configuration}, beside those that are in it`
  return [
    {
      summary,
      safety: 'review',
      ...patchObject(place, [edit, pinned(['webhooks', webhook.index, 'name'], data.webhook)]),
    },
  ]
}

export const fixer = defineFixer(check, { needs, wants, proposals: { 'lacks-current-ca': add } })
