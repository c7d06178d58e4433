/** All EKS Pod Identity associations that were seen; asked only where they could serve the ServiceAccount. */
import { absent, defineProbe, type Fact, onward, type Soon } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { isOfAgent } from '../../domain/agent-answers.ts'
import { asksPodIdentityAgent } from '../../domain/aws-injection.ts'
import { hostPathOf, isEksIssuer } from '../../domain/aws-trust-provider.ts'
import { aws } from '../../domain/questions.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { issuer } from '../cluster/issuer.ts'
import { type Listed, listed } from '../lists.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { podsOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { hasRoleAnnotation, isOfAnotherCloud } from './association.ts'
import { cluster } from './cluster.ts'

export type SeenAssociation = {
  readonly namespace: string
  readonly serviceAccount: string
  /** Left out where only one cluster was asked. */
  readonly cluster?: string
  readonly roleArn?: string
  /** As EKS names it in its own calls. */
  readonly id?: string
}

const read = (json: Json): SeenAssociation | undefined => {
  const namespace = textAt(json, 'namespace')
  const serviceAccount = textAt(json, 'serviceAccount')
  const cluster = textAt(json, 'clusterName')
  const roleArn = textAt(json, 'roleArn')
  const id = textAt(json, 'associationId') ?? textAt(json, 'associationArn')?.split('/').at(-1)
  if (namespace === undefined || serviceAccount === undefined) return undefined
  return {
    namespace,
    serviceAccount,
    ...(id === undefined ? {} : { id }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(roleArn === undefined ? {} : { roleArn }),
  }
}

const ofAssociations = fragmentsOf('aws/pod-identity-association-exists')

export const associations = defineProbe({
  id: 'aws/pod-identity-associations',
  about: 'the EKS Pod Identity associations of the cluster',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, podsOfServiceAccount, errorsOfServiceAccount, cluster, issuer },
  ask: (_have, want, inquiry): Soon<Fact<Listed<SeenAssociation>>> => {
    const question = aws.podIdentityAssociations()
    const { serviceAccount, podsOfServiceAccount, errorsOfServiceAccount, cluster, issuer } = want
    const injected =
      podsOfServiceAccount.state === 'known' && podsOfServiceAccount.value.items.some(asksPodIdentityAgent)
    const reported =
      errorsOfServiceAccount.state === 'known' &&
      errorsOfServiceAccount.value.some(({ fragment, text }) => ofAssociations.has(fragment) && isOfAgent(text))
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const bound = account !== undefined && (hasRoleAnnotation(account) || isOfAnotherCloud(account))
    if (!injected && !reported) {
      if (bound || cluster.state === 'absent') return absent(question)
      if (cluster.state === 'unknown' && issuer.state === 'known' && !isEksIssuer(hostPathOf(issuer.value.issuer)))
        return absent(question)
    }
    return onward(inquiry.ask(question), (answer) => listed(answer, read, 'associations'))
  },
})

/** The name of the cluster that is examined; never unknown. */
export const clusterName = defineProbe({
  id: 'aws/cluster-name',
  about: 'the name of the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: { cluster },
  ask: (_have, { cluster }): Fact<string> =>
    cluster.state === 'known'
      ? { state: 'known', value: cluster.value.name, from: cluster.from }
      : absent(cluster.from),
})
