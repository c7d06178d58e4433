/** The EKS Pod Identity association of a ServiceAccount; asked only where no annotation names a role. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  onward,
  type Soon,
  type Unknown,
  unknown,
} from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from '../../domain/audiences.ts'
import { asksPodIdentityAgent, isByWebhook } from '../../domain/aws-injection.ts'
import { hostPathOf, isEksIssuer } from '../../domain/aws-trust-provider.ts'
import { aws } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { issuer } from '../cluster/issuer.ts'
import { type Listed, listed } from '../lists.ts'
import { podsOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { cluster } from './cluster.ts'

export type Association = {
  readonly namespace: string
  readonly serviceAccount: string
  /** As EKS names it in its own calls. */
  readonly id?: string
  /** Lists leave the roles out; they stand in the description of one association, which may not have been seen. */
  readonly roleArn?: string
  /** The role that EKS goes on to with the first one. */
  readonly targetRoleArn?: string
  readonly externalId?: string
  /** Whether EKS tags the session; undefined where only the list was seen. */
  readonly tags?: boolean
  /** Why its description, and so its role, was not seen. */
  readonly unseen?: Unknown
  /** The cluster that it is made in, as its ARN tells. */
  readonly cluster?: { readonly name: string; readonly arn: string; readonly account: string }
  /** ISO 8601, as far as it was collected. */
  readonly created?: string
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html */
function clusterOf(associationArn: string | undefined): Association['cluster'] {
  const [, start, account, name] =
    /^(arn:[a-z0-9-]+:eks:[a-z0-9-]+:(\d{12}):)podidentityassociation\/([\w-]+)\/[\w-]+$/.exec(associationArn ?? '') ??
    []
  return start === undefined || account === undefined || name === undefined
    ? undefined
    : { name, account, arn: `${start}cluster/${name}` }
}

const read = (json: Json): Association | undefined => {
  const namespace = textAt(json, 'namespace')
  const serviceAccount = textAt(json, 'serviceAccount')
  if (namespace === undefined || serviceAccount === undefined) return undefined
  const roleArn = textAt(json, 'roleArn')
  const id = textAt(json, 'associationId') ?? textAt(json, 'associationArn')?.split('/').at(-1)
  const cluster = clusterOf(textAt(json, 'associationArn'))
  const targetRoleArn = textAt(json, 'targetRoleArn')
  const externalId = textAt(json, 'externalId')
  const raw = at(json, 'createdAt')
  // The command line prints ISO 8601 or, by an older default, seconds since 1970.
  const time = typeof raw === 'number' ? raw * 1000 : typeof raw === 'string' ? Date.parse(raw) : Number.NaN
  return {
    namespace,
    serviceAccount,
    ...(id === undefined ? {} : { id }),
    ...(roleArn === undefined ? {} : { roleArn, tags: at(json, 'disableSessionTags') !== true }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(targetRoleArn === undefined ? {} : { targetRoleArn }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(Number.isNaN(time) ? {} : { created: new Date(time).toISOString() }),
  }
}

/** Whether the annotation that the webhook of EKS reads holds anything: an empty one counts as missing. */
export const hasRoleAnnotation = ({ annotations }: Pick<ServiceAccount, 'annotations'>): boolean =>
  (annotations[roleAnnotation] ?? '') !== ''

/** Bound to another cloud, and nothing asks for AWS: nobody misses a role. */
export const isOfAnotherCloud = ({ annotations }: Pick<ServiceAccount, 'annotations'>): boolean =>
  annotations[roleAnnotation] === undefined &&
  (annotations[azureClientAnnotation] !== undefined || annotations[googleAnnotation] !== undefined)

export const association = defineProbe({
  id: 'aws/pod-identity-association',
  about: 'the EKS Pod Identity association of the ServiceAccount',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { cluster, issuer },
  only: 'serviceAccount',
  ask: ({ serviceAccount }, { cluster, issuer }, inquiry): Soon<Fact<Association>> => {
    const { value, from } = serviceAccount
    if (hasRoleAnnotation(value) || isOfAnotherCloud(value)) return absent(from)
    // There are no associations outside EKS.
    if (cluster.state === 'absent') return absent(cluster.from)
    if (cluster.state === 'unknown' && issuer.state === 'known' && !isEksIssuer(hostPathOf(issuer.value.issuer)))
      return absent(issuer.from)
    return sought(value, inquiry)
  },
})

/** The association out of the list, with what its description adds where the list leaves out the role. */
const sought = (account: ServiceAccount, { ask }: Inquiry): Soon<Fact<Association>> =>
  onward(ask(aws.podIdentityAssociations()), (answer) => {
    const found = ofServiceAccount(listed(answer, read, 'associations'), account)
    if (found.state !== 'known' || found.value.roleArn !== undefined || found.value.id === undefined) return found
    return onward(ask(aws.podIdentityAssociation(found.value.id)), (described) => {
      const one = described.state === 'known' ? read(at(described.value, 'association') ?? null) : undefined
      if (described.state === 'unknown') return known({ ...found.value, unseen: described }, found.from)
      return one === undefined ? found : known({ ...found.value, ...one }, described.from)
    })
  })

function ofServiceAccount(list: Fact<Listed<Association>>, { namespace, name }: ServiceAccount): Fact<Association> {
  if (list.state !== 'known') return list
  const all = list.value.items.filter((one) => one.namespace === namespace && one.serviceAccount === name)
  const found = all.find(({ roleArn }) => roleArn !== undefined) ?? all[0]
  if (found !== undefined) return known(found, list.from)
  if (list.value.complete) return absent(list.from)
  return unknown(
    'not-collected',
    'the Pod Identity associations of the cluster were not seen',
    list.from,
    'aws eks list-pod-identity-associations --cluster-name CLUSTER',
  )
}

/** The same whatever else binds the ServiceAccount: where both do, the webhook of EKS follows the association. */
export const associationBeside = defineProbe({
  id: 'aws/pod-identity-association-beside',
  about: 'the EKS Pod Identity association of the ServiceAccount, whatever else binds it',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { cluster, issuer, podsOfServiceAccount },
  only: 'serviceAccount',
  ask: ({ serviceAccount }, { cluster, issuer, podsOfServiceAccount }, inquiry): Soon<Fact<Association>> => {
    const { value } = serviceAccount
    // Admission follows the association: who was given web identity had none.
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    if (pods.some(isByWebhook) && !pods.some(asksPodIdentityAgent)) return absent(podsOfServiceAccount.from)
    if (cluster.state === 'absent') return absent(cluster.from)
    if (cluster.state === 'unknown' && issuer.state === 'known' && !isEksIssuer(hostPathOf(issuer.value.issuer)))
      return absent(issuer.from)
    return sought(value, inquiry)
  },
})
