/** Gives the token file to the group of the pod. */
import { check } from '../../checks/azure/token-file-readable.ts'
import { at } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeTemplate, named } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
const fsGroup = 65_534

function share({ have: { template } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (template.state === 'absent') return byHand
  // Another group was somebody's choice, for the files of other volumes.
  if (at(template.value.template, 'spec', 'securityContext', 'fsGroup') !== undefined) return byHand
  const edit = { path: ['spec', 'securityContext', 'fsGroup'], after: fsGroup }
  const summary = `Set fsGroup ${fsGroup} in the pod template of ${named(template.value)}, whom the token is then given to`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'permission-denied': share } })
