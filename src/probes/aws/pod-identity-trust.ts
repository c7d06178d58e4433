/** What the trust policy of an associated role says to EKS Pod Identity. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { isOfAgent } from '../../domain/agent-answers.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { asksPodIdentityAgent } from '../../domain/aws-injection.ts'
import { evaluatePodIdentityTrust, type PodIdentityCall, type ServiceDecision } from '../../domain/aws-trust-service.ts'
import { aws } from '../../domain/questions.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { clock } from '../cluster/clock.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { podsOfServiceAccount } from '../workload/pods.ts'
import { type Association, association, associationBeside } from './association.ts'
import { cluster } from './cluster.ts'
import { ofAccount, type Role } from './role.ts'

const ofTrust = fragmentsOf('aws/trust-policy-admits-pod-identity')

/** Absent where nothing shows that EKS Pod Identity serves the ServiceAccount; unknown only where something does. */
export const podIdentityBinding = defineProbe({
  id: 'aws/pod-identity-binding',
  about: 'the EKS Pod Identity association that serves the ServiceAccount',
  scope: 'service-account',
  needs: {},
  wants: { association, associationBeside, podsOfServiceAccount, errorsOfServiceAccount },
  ask: (_have, { association, associationBeside, podsOfServiceAccount, errorsOfServiceAccount }): Fact<Association> => {
    if (associationBeside.state === 'known') return associationBeside
    if (association.state !== 'unknown') return association
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    return pods.some(asksPodIdentityAgent) ||
      errors.some(({ fragment, text }) => ofTrust.has(fragment) && isOfAgent(text))
      ? association
      : absent(association.from)
  },
})

/** The role of the association, in the account that its ARN names; absent where that is no role ARN. */
export const associatedRole = defineProbe({
  id: 'aws/associated-role',
  about: 'the role of the EKS Pod Identity association and its trust policy',
  scope: 'service-account',
  needs: { podIdentityBinding },
  wants: {},
  only: 'podIdentityBinding',
  ask: ({ podIdentityBinding }, _want, { ask }): Soon<Fact<Role>> => {
    const { value, from } = podIdentityBinding
    if (value.roleArn === undefined && value.unseen !== undefined && value.unseen.why !== 'not-collected')
      return value.unseen
    if (value.roleArn === undefined)
      return unknown(
        'not-collected',
        'the role of the Pod Identity association was not seen',
        aws.podIdentityAssociation(value.id ?? 'ASSOCIATION_ID'),
        `aws eks describe-pod-identity-association --cluster-name ${value.cluster?.name ?? 'CLUSTER'} --association-id ${value.id ?? 'ASSOCIATION_ID'}`,
      )
    const arn = parseRoleArn(value.roleArn)
    if (arn === undefined) return absent(from)
    return onward(ask(aws.role(arn.account, arn.name)), (answer) => ofAccount(answer, arn.account))
  },
})

export type PodIdentityTrust = {
  readonly decision: ServiceDecision
  /** Name of the role. */
  readonly role: string
  readonly call: PodIdentityCall
}

/** Absent where no association serves the ServiceAccount, or there is no role. Unknown where the decision hangs on what was not seen. */
export const podIdentityTrust = defineProbe({
  id: 'aws/pod-identity-trust',
  about: "what the associated role's trust policy says to EKS Pod Identity",
  scope: 'service-account',
  needs: { podIdentityBinding, associatedRole },
  wants: { cluster, clock },
  only: 'podIdentityBinding',
  ask: ({ podIdentityBinding, associatedRole }, { cluster, clock }): Fact<PodIdentityTrust> => {
    if (associatedRole.state === 'absent') return absent(associatedRole.from)
    const { namespace, serviceAccount, cluster: own, tags } = podIdentityBinding.value
    const of = cluster.state === 'known' ? cluster.value : own
    const call: PodIdentityCall = {
      namespace,
      serviceAccount,
      tags: tags !== false,
      ...(of === undefined ? {} : { cluster: { name: of.name, arn: of.arn, account: of.account } }),
      ...(clock.state === 'known' ? { now: new Date(clock.value).toISOString() } : {}),
    }
    const { policy, name } = associatedRole.value
    const decision = evaluatePodIdentityTrust(policy, call)
    return decision.decision === 'depends'
      ? unknown(
          'not-collected',
          `whether the trust policy of role ${name} admits EKS Pod Identity depends on: ${decision.dependsOn.join(', ')}`,
          associatedRole.from,
          of === undefined ? 'aws eks describe-cluster --name CLUSTER' : undefined,
        )
      : known({ decision, role: name, call }, associatedRole.from)
  },
})
