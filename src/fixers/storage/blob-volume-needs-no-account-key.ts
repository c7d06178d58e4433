/** Has a blob volume that stands in the pod template mount by token, where the driver that runs can; never switches shared keys on. */
import { check } from '../../checks/storage/blob-volume-needs-no-account-key.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeTemplate, named, volumeSaid } from '../../domain/template-changes.ts'
import { compareVersions, readVersion } from '../../domain/versions.ts'
import { driverVersion } from '../../probes/storage/driver-versions.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, driverVersion }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly volume: string }>

/** The first version that mounts by token: https://github.com/kubernetes-sigs/blob-csi-driver/blob/0744a60/docs/workload-identity-static-pv-mount.md */
const first = [1, 27]
const attribute = 'mountWithWorkloadIdentityToken'

function byToken({ have: { template, driverVersion }, data }: Brief): Proposal {
  const version = driverVersion.state === 'known' ? readVersion(driverVersion.value) : undefined
  const held = template.state === 'absent' ? undefined : volumeSaid(template.value, data.volume)
  if (template.state === 'absent' || held === undefined) return byHand
  if (version === undefined || compareVersions(version, first) < 0) return byHand
  const edit = { path: [...held.path, 'csi', 'volumeAttributes', attribute], after: 'true' }
  const summary = `Set ${attribute} "true" on volume ${held.name} of ${named(template.value)}; its identity needs the role Storage Blob Data Contributor`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'lists-account-keys': byToken, 'may-not-list-keys': byToken },
})
