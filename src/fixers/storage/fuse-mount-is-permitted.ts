/** Gives the one container that mounts the capability or the AppArmor profile that it lacks; never privileges, never against the level of a namespace. */
import { check } from '../../checks/storage/fuse-mount-is-permitted.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, containerIn, type Held, named } from '../../domain/template-changes.ts'
import { namespaceLevel } from '../../probes/storage/enforced-level.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, namespaceLevel }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly container: string }>

const nameIn = (words: string): string => words.replace(/^container /, '')

/** Both are refused where the namespace enforces baseline or restricted. */
function change(
  { have: { template, namespaceLevel }, data }: Brief,
  edit: (container: Held) => Edit | undefined,
  what: string,
): Proposal {
  if (template.state === 'absent' || namespaceLevel.state !== 'absent') return byHand
  const name = nameIn(data.container)
  const container = containerIn(template.value, name)
  const made = container === undefined ? undefined : edit(container)
  if (made === undefined) return byHand
  const summary = `Give container ${name} of ${named(template.value)} ${what}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [made]) }]
}

/** A capability reaches root only; of anybody else it is for a setuid helper to use. */
function addCapability({ path, json }: Held): Edit | undefined {
  const user = at(json, 'securityContext', 'runAsUser')
  if (user !== undefined && user !== 0) return undefined
  const list = [...path, 'securityContext', 'capabilities', 'add']
  return { path: [...list, '-'], after: 'SYS_ADMIN' }
}

function unconfine({ path, json }: Held): Edit | undefined {
  const before = at(json, 'securityContext', 'appArmorProfile')
  // A profile of one's own is somebody's choice, and is changed on the nodes.
  if (textAt(before, 'type') === 'Localhost' || listAt(json, 'securityContext', 'appArmorProfile').length > 0)
    return undefined
  const place = [...path, 'securityContext', 'appArmorProfile', 'type']
  const type = textAt(before, 'type')
  return { path: place, ...(type === undefined ? {} : { before: type }), after: 'Unconfined' }
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'capability-missing': (brief) =>
      change(brief, addCapability, 'the capability SYS_ADMIN, without which nobody mounts'),
    'apparmor-denies': (brief) =>
      change(brief, unconfine, 'appArmorProfile Unconfined, since the default one denies mount'),
  },
})
