/** Has the one workload that was meant run as the ServiceAccount that has the identity; the identity itself stays where it is. */
import { check } from '../../checks/workload/service-account-is-used.ts'
import { at, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { type Edit, patchObject } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { named } from '../../domain/template-changes.ts'
import { runners } from '../../probes/workload/runners.ts'

const needs = { runners }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { workload: string; expected: string }>

function runAs({ have: { runners }, data: { workload, expected } }: Brief): Proposal {
  const meant = runners.state === 'known' ? runners.value.find((one) => one.workload === workload) : undefined
  if (meant === undefined) return byHand
  const { place, template, pods } = meant
  const spec = at(template, 'spec')
  const inSpec = (member: string): Edit => {
    const before = textAt(spec, member)
    return { path: ['spec', 'template', 'spec', member], ...(before === undefined ? {} : { before }), after: expected }
  }
  // The API server keeps the former name of the member in step, and would bring the value back out of it when this is undone.
  const changed = patchObject(place, [inSpec('serviceAccountName'), inSpec('serviceAccount')])
  const gone = pods.map((name) => ({ question: kubernetes.get('pods', place.namespace, name), path: [] }))
  const [own, ...others] = changed.effects
  const summary = `Have ${named({ workload, place })} run as ServiceAccount ${expected}`
  return [{ summary, safety: 'review', ...changed, effects: [own, ...others, ...gone] }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'runs-as-default': runAs, 'runs-as-another': runAs },
})
