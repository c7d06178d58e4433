/** Annotates a ServiceAccount of a workspace with the identity that CloudTik derives, where that one was seen to exist. */
import { check } from '../../checks/cloudtik/workspace-is-in-place.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { accounts, parts } from '../../domain/cloudtik.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { derived } from '../../probes/cloudtik/derived.ts'
import { clock } from '../../probes/cluster/clock.ts'

const needs = { derived }
const wants = { clock }
type Data = {
  readonly namespace: string
  readonly name: string
  readonly annotation: string
  readonly actual?: string
}
type Brief = ProposalBrief<typeof needs, typeof wants, Data>

function bind({ data, have: { derived }, want: { clock } }: Brief): Proposal {
  const { namespace, name, annotation, actual } = data
  const part = parts.find((one) => accounts[one] === name)
  const value = derived.state === 'absent' || part === undefined ? undefined : derived.value.get(part)
  if (value === undefined) return byHand
  const time = clock.state === 'known' ? new Date(clock.value).toISOString() : undefined
  const summary = `Bind ServiceAccount ${name} in namespace ${namespace} to ${value}`
  const place = { resource: 'serviceaccounts', namespace, name }
  return [{ summary, safety: 'review', ...annotate(place, annotation, actual, value, time) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  // ServiceAccounts, labels of pods and storage are made by cloudtik workspace update, from its own configuration.
  proposals: { 'annotation-missing': bind, 'annotation-differs': bind },
})
