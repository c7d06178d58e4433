/** Tells the controller its region and VPC in its arguments, so that it need not ask the metadata of its node; the hop limit stays. */
import { check } from '../../checks/eks/load-balancer-controller-can-call-aws.ts'
import { at, isList, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Path, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject, pinned } from '../../domain/kubernetes-changes.ts'
import { cluster } from '../../probes/aws/cluster.ts'
import { controllerTemplate } from '../../probes/eks/controller.ts'

const needs = { controllerTemplate, cluster }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { namespace: string; workload: string }>

function tell({ have: { controllerTemplate, cluster }, data: { namespace, workload } }: Brief): Proposal {
  if (controllerTemplate.state === 'absent' || cluster.state === 'absent') return byHand
  const { place, template } = controllerTemplate.value
  const { region, vpc } = cluster.value
  const containers = listAt(template, 'spec', 'containers')
  const index = containers.findIndex((one) =>
    listAt(one, 'args').some((word) => /^--cluster-name\b/.test(String(word))),
  )
  const container = containers[index]
  const name = textAt(container, 'name')
  // In a command of its own kind, nobody but its author knows where flags go.
  if (vpc === undefined || container === undefined || name === undefined || !isList(at(container, 'args')))
    return byHand
  const inside: Path = ['spec', 'template', 'spec', 'containers', index]
  const joins = (word: string) => ({ path: [...inside, 'args', '-'], after: word })
  const isSet = listAt(container, 'args').some((word) => /^--aws-region\b/.test(String(word)))
  const pin = pinned([...inside, 'name'], name)
  const words = [`--aws-vpc-id=${vpc}`, ...(isSet ? [] : [`--aws-region=${region}`])]
  const [first, ...rest] = words.map(joins)
  if (first === undefined) return byHand
  const summary = `Start ${workload} in namespace ${namespace} with ${words.join(' and ')}`
  return [{ summary, safety: 'review', ...patchObject(place, [first, ...rest, pin]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Which role it is to have is for whoever sets it up: kubectl wi bind sa.
  proposals: { 'vpc-from-metadata': tell },
})
