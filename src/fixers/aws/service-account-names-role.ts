/** Puts a role that stands under a key which nobody reads under the one that the webhook reads. */
import { check } from '../../checks/aws/service-account-names-role.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { annotate, patchObject } from '../../domain/kubernetes-changes.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount }
const wants = { clock }
type Data = { readonly key: string; readonly role: string }

/** Never a guess: the ARN is the one that stands there. */
function rename({ have: { serviceAccount }, want, data }: ProposalBrief<typeof needs, typeof wants, Data>): Proposal {
  if (serviceAccount.state === 'absent' || parseRoleArn(data.role) === undefined) return byHand
  const { namespace, name, annotations } = serviceAccount.value
  const wrong = annotations[data.key]
  if (wrong === undefined) return byHand
  const place = { resource: 'serviceaccounts', namespace, name }
  const before = annotations[roleAnnotation]
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const [, ...written] = annotate(place, roleAnnotation, before, data.role, time).effects
  const { change, effects, undo } = patchObject(place, [
    {
      path: ['metadata', 'annotations', roleAnnotation],
      ...(before === undefined ? {} : { before }),
      after: data.role,
    },
    { path: ['metadata', 'annotations', data.key], before: wrong },
  ])
  const [own, ...others] = effects
  return [
    {
      summary: `Name role ${data.role} on ServiceAccount ${name} in namespace ${namespace} under ${roleAnnotation}, and no more under ${data.key}`,
      safety: 'review',
      change,
      effects: [own, ...others, ...written],
      undo,
    },
  ]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'key-misspelt': rename, 'key-of-other-tool': rename },
})
