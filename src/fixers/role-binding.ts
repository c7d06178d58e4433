/** Another role for a ServiceAccount, by the means that it is bound by. */
import type { Fact, Known } from '../core/fact.ts'
import { byHand, type Proposal } from '../core/plan.ts'
import { changeAssociation } from '../domain/aws-changes.ts'
import { annotate } from '../domain/kubernetes-changes.ts'
import { type Association, association } from '../probes/aws/association.ts'
import { cluster, type EksCluster } from '../probes/aws/cluster.ts'
import type { RoleReference } from '../probes/aws/role-reference.ts'
import { clock } from '../probes/cluster/clock.ts'

/** Facts that a change of the binding is made of. */
export const bindingWants = { association, cluster, clock }

type Wanted = {
  readonly association: Fact<Association>
  readonly cluster: Fact<EksCluster>
  readonly clock: Fact<number>
}
type Account = { readonly namespace: string; readonly serviceAccount: string }

/** The ARN takes the place of what was read; the webhook's own map is a text that somebody keeps, and is changed by hand. */
export function bindTo(
  arn: string,
  { namespace, serviceAccount }: Account,
  { value: { via, key, value } }: Known<RoleReference>,
  want: Wanted,
): Proposal {
  if (via === 'annotation') {
    const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
    const summary = `Name role ${arn} on ServiceAccount ${serviceAccount} in namespace ${namespace}`
    const place = { resource: 'serviceaccounts', namespace, name: serviceAccount }
    return [{ summary, safety: 'review', ...annotate(place, key, value, arn, time) }]
  }
  if (via !== 'association' || want.association.state !== 'known') return byHand
  const { id, roleArn } = want.association.value
  const name =
    want.association.value.cluster?.name ?? (want.cluster.state === 'known' ? want.cluster.value.name : undefined)
  if (id === undefined || roleArn === undefined || name === undefined) return byHand
  const summary = `Give the association of ServiceAccount ${serviceAccount} in namespace ${namespace} role ${arn}`
  return [{ summary, safety: 'review', ...changeAssociation(name, id, { namespace, serviceAccount, roleArn }, arn) }]
}
