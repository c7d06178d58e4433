/** Takes the variable that wins over the metadata server out of the pod template; the Secret behind it stays. */
import { check } from '../../checks/gcp/no-key-overrides-workload-identity.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { word } from '../../domain/gcp-words.ts'
import { changeTemplate, containerIn, named, withoutVariables } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Data = MessageData

function unset({ have: { template }, data }: ProposalBrief<typeof needs, Record<never, never>, Data>): Proposal {
  if (template.state === 'absent') return byHand
  const container = containerIn(template.value, word(data, 'container'))
  const edit = container === undefined ? undefined : withoutVariables(container, [word(data, 'variable')])
  if (edit === undefined) return byHand
  const summary = `Take ${word(data, 'variable')} out of container ${word(data, 'container')} of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'key-file-env': unset, 'gcloud-override': unset, 'metadata-host-override': unset },
})
