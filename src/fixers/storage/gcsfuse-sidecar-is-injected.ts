/** Puts the annotation that the gcsfuse webhook goes by on the pod template, where pods get it from. */
import { check } from '../../checks/storage/gcsfuse-sidecar-is-injected.ts'
import { textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeTemplate, named } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
const annotation = 'gke-gcsfuse/volumes'

function annotateTemplate({
  have: { template },
}: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (template.state === 'absent') return byHand
  const { template: held } = template.value
  const before = textAt(held, 'metadata', 'annotations', annotation)
  // The template is right already: it is the pod that is old.
  if (before === 'true') return byHand
  const path = ['metadata', 'annotations', annotation]
  const edit = { path, ...(before === undefined ? {} : { before }), after: 'true' }
  const summary = `Annotate the pod template of ${named(template.value)} with ${annotation}: "true"`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'annotation-on-the-owner': annotateTemplate, 'annotation-missing': annotateTemplate },
})
