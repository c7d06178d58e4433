/** Sets what the gcsfuse driver wants of an inline volume, or gives the pod the token of its account, in the pod template. */
import { check } from '../../checks/storage/gcsfuse-volume-can-authenticate.ts'
import { at, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { gcsDriver } from '../../domain/storage-volumes.ts'
import { changeTemplate, named, volumeIn } from '../../domain/template-changes.ts'
import { scene } from '../../probes/storage/scene.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, scene }
const wants = { serviceAccount }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>

/** Attributes of a PersistentVolume cannot be changed: somebody has to make it anew. */
function setAttribute({ have: { template, scene } }: Brief, name: string): Proposal {
  if (template.state === 'absent' || scene.state === 'absent') return byHand
  const inline = scene.value.volumes.find(({ driver, kind }) => driver === gcsDriver && kind === 'Pod')
  const held = inline === undefined ? undefined : volumeIn(template.value, inline.name)
  if (held === undefined) return byHand
  const path = [...held.path, 'csi', 'volumeAttributes', name]
  const before = textAt(held.json, 'csi', 'volumeAttributes', name)
  const edit = { path, ...(before === undefined ? {} : { before }), after: 'true' }
  const volume = textAt(held.json, 'name')
  const summary = `Set ${name} "true" on volume ${volume} of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

/** On the host network the driver leaves the annotation aside: an account that has one would act as somebody else. */
function onHostNetwork(brief: Brief): Proposal {
  const { serviceAccount } = brief.want
  const annotated = serviceAccount.state !== 'known' || Boolean(serviceAccount.value.annotations[googleAnnotation])
  return annotated ? byHand : setAttribute(brief, 'hostNetworkPodKSA')
}

function mountToken({ have: { template } }: Brief): Proposal {
  if (template.state === 'absent') return byHand
  const { template: held } = template.value
  if (at(held, 'spec', 'automountServiceAccountToken') !== false) return byHand
  const edit = { path: ['spec', 'automountServiceAccountToken'], before: false, after: true }
  const summary = `Mount the token of the ServiceAccount into the pods of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'access-check-not-skipped': (brief) => setAttribute(brief, 'skipCSIBucketAccessCheck'),
    'account-token-not-mounted': mountToken,
    'host-network-without-provider': onHostNetwork,
  },
})
