/** Gives the sidecar of gcsfuse more memory or its cache a group, or lets a container see what another one mounts. */
import { check } from '../../checks/storage/mount-is-alive.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, containerIn, named } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Data = {
  readonly mounter: string
  readonly limit: string
  readonly container: string
  readonly volume: string
}
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

const memoryLimit = 'gke-gcsfuse/memory-limit'
/** `256Mi` → `512Mi`; undefined for what is no plain quantity. */
const doubled = (quantity: string): string | undefined => {
  const [, amount, unit] = /^(\d{1,6})([MG]i?)$/.exec(quantity) ?? []
  return amount === undefined || amount === '0' ? undefined : `${Number(amount) * 2}${unit}`
}

function changed({ have: { template } }: Brief, edit: Edit | undefined, what: string): Proposal {
  if (template.state === 'absent' || edit === undefined) return byHand
  const summary = `${what} in the pod template of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

/** Of the sidecar alone: what another mounter may have is not looked at. */
function giveMemory(brief: Brief): Proposal {
  const { template } = brief.have
  if (template.state === 'absent' || brief.data.mounter !== 'container gke-gcsfuse-sidecar') return byHand
  const before = textAt(template.value.template, 'metadata', 'annotations', memoryLimit)
  const after = doubled(before ?? brief.data.limit)
  if (after === undefined) return byHand
  const path = ['metadata', 'annotations', memoryLimit]
  return changed(brief, { path, ...(before === undefined ? {} : { before }), after }, `Set ${memoryLimit} to ${after}`)
}

/** The user and the group of the sidecar: https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-storage-fuse-csi-driver-sidecar */
const sidecarGroup = 65_534

function shareCache(brief: Brief): Proposal {
  const { template } = brief.have
  // Another group was somebody's choice, for the files of other volumes.
  if (template.state === 'absent' || at(template.value.template, 'spec', 'securityContext', 'fsGroup') !== undefined)
    return byHand
  const edit = { path: ['spec', 'securityContext', 'fsGroup'], after: sidecarGroup }
  return changed(brief, edit, `Set fsGroup ${sidecarGroup}, whom the cache is then given to,`)
}

function propagate(brief: Brief): Proposal {
  const { template } = brief.have
  const name = brief.data.volume.replace(/^volume /, '')
  const held = template.state === 'absent' ? undefined : containerIn(template.value, brief.data.container)
  const mounts = listAt(held?.json, 'volumeMounts')
  const index = mounts.findIndex((one) => textAt(one, 'name') === name)
  const before = textAt(mounts[index], 'mountPropagation')
  if (held === undefined || index < 0) return byHand
  const edit = {
    path: [...held.path, 'volumeMounts', index, 'mountPropagation'],
    ...(before === undefined ? {} : { before }),
    after: 'HostToContainer',
  }
  return changed(
    brief,
    edit,
    `Set mountPropagation HostToContainer on volume ${name} of container ${brief.data.container}`,
  )
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'out-of-memory': giveMemory, 'cache-not-writable': shareCache, 'not-propagated': propagate },
})
