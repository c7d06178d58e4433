/** Has a device plugin that the nodes already run hand /dev/fuse to the container, in the place of a hostPath. */
import { check } from '../../checks/storage/fuse-device-is-openable.ts'
import { listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import {
  changeTemplate,
  containerIn,
  containersIn,
  named,
  type Template,
  withoutMount,
} from '../../domain/template-changes.ts'
import { fuseResource } from '../../probes/storage/fuse-resource.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, fuseResource }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly container: string }>

const device = '/dev/fuse'

/** The mount of the node's device in the one container, and its volume where nobody else mounts it. */
function withoutHostPath(template: Template, name: string): readonly Edit[] {
  const container = containerIn(template, name)
  const mount = listAt(container?.json, 'volumeMounts').find((one) => textAt(one, 'mountPath') === device)
  const volume = textAt(mount, 'name')
  const unmount = container === undefined ? undefined : withoutMount(container, device)
  if (unmount === undefined || volume === undefined) return []
  const users = containersIn(template).filter(({ json }) =>
    listAt(json, 'volumeMounts').some((one) => textAt(one, 'name') === volume),
  )
  const held = listAt(template.template, 'spec', 'volumes').find((one) => textAt(one, 'name') === volume)
  if (held === undefined || users.length > 1 || textAt(held, 'hostPath', 'path') !== device) return [unmount]
  return [unmount, { path: ['spec', 'volumes', '-'], before: held }]
}

function byPlugin({ have: { template, fuseResource }, data }: Brief): Proposal {
  if (template.state === 'absent' || fuseResource.state === 'absent') return byHand
  const held = containerIn(template.value, data.container)
  if (held === undefined) return byHand
  const resource = fuseResource.value
  const limit: Edit = { path: [...held.path, 'resources', 'limits', resource], after: '1' }
  const edits: readonly [Edit, ...Edit[]] = [limit, ...withoutHostPath(template.value, data.container)]
  const summary = `Give container ${data.container} of ${named(template.value)} the device by ${resource}, which the nodes offer`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, edits) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'device-cgroup-denies': byPlugin, 'no-device': byPlugin },
})
