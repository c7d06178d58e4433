/** Has the workload run as the one ServiceAccount of its namespace that names an identity. */
import { check } from '../../checks/azure/pod-uses-federated-service-account.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject, rolling } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { named } from '../../domain/template-changes.ts'
import { podView } from '../../probes/azure/pods.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const needs = { podView }
type Data = { readonly candidates: string; readonly observed: string; readonly workload: string }
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

/** A template that leaves the name out runs as default; whether it is written there too, nothing that was read tells. */
function runAs({ have: { podView }, data: { candidates, observed, workload } }: Brief): Proposal {
  const [only, second] = candidates.split(', ')
  if (podView.state === 'absent' || only === undefined || second !== undefined || observed === 'default') return byHand
  // Of several workloads only one is named, and the others would go on as they are.
  if (podView.value.born === undefined && podView.value.templates.length > 1) return byHand
  const template = podView.value.templates.find((one) => workloadOf(one) === workload)
  const place = template === undefined ? undefined : rolling(workload, template.namespace)
  if (template === undefined || place === undefined || template.serviceAccount !== observed) return byHand
  const edit = { path: ['spec', 'template', 'spec', 'serviceAccountName'], before: observed, after: only }
  const changed = patchObject(place, [edit])
  const born = podView.value.born?.name
  const gone = born === undefined ? [] : [{ question: kubernetes.get('pods', place.namespace, born), path: [] }]
  const [own, ...others] = changed.effects
  const summary = `Have ${named({ workload, place })} run as ServiceAccount ${only}`
  return [{ summary, safety: 'review', ...changed, effects: [own, ...others, ...gone] }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'other-service-account': runAs },
})
