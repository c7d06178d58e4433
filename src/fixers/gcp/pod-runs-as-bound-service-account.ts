/** Has the workload run as the ServiceAccount that is bound; the identity itself stays where it is. */
import { check } from '../../checks/gcp/pod-runs-as-bound-service-account.ts'
import type { MessageData } from '../../core/check.ts'
import { at, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { word } from '../../domain/gcp-words.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, named } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Data = MessageData

function runAs({ have: { template }, data }: ProposalBrief<typeof needs, Record<never, never>, Data>): Proposal {
  if (template.state === 'absent') return byHand
  const inSpec = (member: string): Edit => {
    const before = textAt(at(template.value.template, 'spec'), member)
    return { path: ['spec', member], ...(before === undefined ? {} : { before }), after: word(data, 'bound') }
  }
  // The API server keeps the former name of the member in step, and would bring the value back out of it when this is undone.
  const changed = changeTemplate(template.value, [inSpec('serviceAccountName'), inSpec('serviceAccount')])
  const summary = `Have ${named(template.value)} run as ServiceAccount ${word(data, 'bound')}`
  return [{ summary, safety: 'review', ...changed }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'runs-as-default': runAs, 'runs-as-other': runAs },
})
