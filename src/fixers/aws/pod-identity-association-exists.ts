/** Associates the ServiceAccount in the cluster that is examined, with the role of the association that evidently was meant for it. */
import { check } from '../../checks/aws/pod-identity-association-exists.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { createAssociation } from '../../domain/aws-changes.ts'
import { clusterName } from '../../probes/aws/associations.ts'
import { nearRole } from '../../probes/aws/near-association.ts'

const needs = { clusterName }
const wants = { nearRole }
type Data = { readonly namespace: string; readonly serviceAccount: string; readonly role: string }

/** Which role it is to be is for a person to say where no association tells it. */
function create({ have: { clusterName }, want, data }: ProposalBrief<typeof needs, typeof wants, Data>): Proposal {
  const { namespace, serviceAccount } = data
  const told =
    parseRoleArn(data.role) === undefined && want.nearRole.state === 'known' ? want.nearRole.value : data.role
  if (clusterName.state === 'absent' || parseRoleArn(told) === undefined) return byHand
  const cluster = clusterName.value
  const summary = `Associate ServiceAccount ${serviceAccount} in namespace ${namespace} of cluster ${cluster} with role ${told}`
  return [{ summary, safety: 'review', ...createAssociation(cluster, { namespace, serviceAccount, roleArn: told }) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'other-cluster': create, 'name-differs': create },
})
