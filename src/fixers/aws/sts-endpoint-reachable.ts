/** Has the workloads of a ServiceAccount ask the regional STS endpoint, and makes the pod that asked the global one anew. */
import { check } from '../../checks/aws/sts-endpoint-reachable.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { annotate, restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'
import { regionalEndpoints } from '../../domain/webhook-annotations.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount, roleReference }
const wants = { pod }

function askInRegion({ have, want }: ProposalBrief<typeof needs, typeof wants, unknown>): Proposal {
  const { serviceAccount, roleReference } = have
  if (serviceAccount.state === 'absent' || roleReference.state === 'absent') return byHand
  const { namespace, name, annotations } = serviceAccount.value
  const before = annotations[regionalEndpoints]
  // The webhook reads it beside the role; who sets it to something else has a reason, or no webhook that reads it.
  if (before !== undefined || roleReference.value.via !== 'annotation' || !isWebIdentity(roleReference.value))
    return byHand
  const place = { resource: 'serviceaccounts', namespace, name }
  const one = want.pod.state === 'known' ? want.pod.value : undefined
  const owner = one === undefined ? undefined : rolling(workloadOf(one), one.namespace)
  return [
    {
      summary: `Have pods of ServiceAccount ${name} in namespace ${namespace} ask the regional STS endpoint`,
      safety: 'review',
      ...annotate(place, regionalEndpoints, before, 'true'),
    },
    ...(one === undefined || owner === undefined
      ? []
      : [
          {
            summary: `Restart ${workloadOf(one)} in namespace ${one.namespace}, so that its pods are made anew`,
            safety: 'review' as const,
            ...restartWorkload(owner, [one.name]),
          },
        ]),
  ]
}

export const fixer = defineFixer(check, { needs, wants, proposals: { 'global-endpoint-unreachable': askInRegion } })
