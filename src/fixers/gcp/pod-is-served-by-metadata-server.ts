/** Keeps the pods on nodes that have the metadata server, or takes the selector out that Autopilot refuses. */
import { check } from '../../checks/gcp/pod-is-served-by-metadata-server.ts'
import { textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeTemplate, named } from '../../domain/template-changes.ts'
import { metadataLabel } from '../../probes/gcp/node.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

const select =
  (after: string | undefined) =>
  ({ have: { template } }: Brief): Proposal => {
    if (template.state === 'absent') return byHand
    const path = ['spec', 'nodeSelector', metadataLabel]
    const before = textAt(template.value.template, ...path)
    // The template is right already: it is the pod that is old.
    if (before === after) return byHand
    const edit = { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
    const summary =
      after === undefined
        ? `Take nodeSelector ${metadataLabel} out of the pod template of ${named(template.value)}`
        : `Keep ${named(template.value)} on nodes with ${metadataLabel}=${after}`
    return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'may-land-elsewhere': select('true'), 'autopilot-refuses-selector': select(undefined) },
})
