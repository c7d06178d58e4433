/** The role that a ServiceAccount names, and by what it names it. */
import { absent, defineProbe, type Fact, type Inquiry, known, type Soon, unknown } from '../../core/fact.ts'
import { parseRoleArn, type RoleArn } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { aws } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { type Association, association, hasRoleAnnotation, isOfAnotherCloud } from './association.ts'
import { entryFor, podIdentityWebhook, webhookFlags, webhookMap } from './webhook.ts'

export type RoleReference = {
  /** annotation and config-map lead to web identity, an association to EKS Pod Identity. */
  readonly via: 'annotation' | 'association' | 'config-map'
  /** The annotation's key, or that of the map. */
  readonly key: string
  /** As written; empty where an association was seen without its role. */
  readonly value: string
  /** Left out where the value is no role ARN. */
  readonly arn?: RoleArn
}

const refer = (via: RoleReference['via'], key: string, value: string): RoleReference => {
  const arn = parseRoleArn(value)
  return { via, key, value, ...(arn === undefined ? {} : { arn }) }
}

/** Bound by web identity, so that its token and the role's trust policy matter. */
export const isWebIdentity = ({ via }: RoleReference): boolean => via !== 'association'

export const roleReference = defineProbe({
  id: 'aws/role-reference',
  about: 'the role that the ServiceAccount names',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { association },
  only: 'serviceAccount',
  ask: ({ serviceAccount }, { association }, inquiry): Soon<Fact<RoleReference>> => {
    const { value, from } = serviceAccount
    if (hasRoleAnnotation(value))
      return known(refer('annotation', roleAnnotation, value.annotations[roleAnnotation] ?? ''), from)
    if (association.state === 'known')
      return known(refer('association', 'associations', association.value.roleArn ?? ''), association.from)
    if (isOfAnotherCloud(value)) return absent(from)
    return byOwnWebhook(value, association, inquiry)
  },
})

/** What only a webhook that somebody runs in the cluster reads: another annotation prefix, and a map. */
async function byOwnWebhook(
  account: ServiceAccount,
  association: Fact<Association>,
  inquiry: Inquiry,
): Promise<Fact<RoleReference>> {
  const eks = association.from.call === aws.podIdentityAssociations().call && association.state === 'absent'
  if (eks) return absent(association.from)
  const webhook = await podIdentityWebhook.ask({}, {}, inquiry)
  const map = await webhookMap(webhook, inquiry)
  const entry = map.state === 'known' ? entryFor(map.value, account) : undefined
  if (entry?.roleArn) return known(refer('config-map', entry.key, entry.roleArn), map.from)
  const flags = await webhookFlags(webhook, inquiry)
  const key = flags.state === 'known' ? `${flags.value.annotationPrefix}/role-arn` : undefined
  const value = key === undefined ? undefined : account.annotations[key]
  if (key !== undefined && value) return known(refer('annotation', key, value), flags.from)
  if (association.state === 'unknown') return association
  if (map.state === 'unknown')
    return unknown(
      map.why,
      'a map of roles may stand in ConfigMap pod-identity-webhook, which was not seen',
      map.from,
      map.lift,
    )
  return absent(map.from)
}
