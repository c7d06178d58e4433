/** A Pod Identity association names this ServiceAccount. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf, unnamed } from '../../domain/advice.ts'
import { isOfAgent } from '../../domain/agent-answers.ts'
import { asksPodIdentityAgent } from '../../domain/aws-injection.ts'
import { sh } from '../../domain/shell-words.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { associations, clusterName, type SeenAssociation } from '../../probes/aws/associations.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { isNear } from '../../probes/aws/near-association.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { podsOfServiceAccount } from '../../probes/workload/pods.ts'

const id = 'aws/pod-identity-association-exists'
const ofThisCheck = fragmentsOf(id)

type In = Account & { readonly cluster: string; readonly role: string }

const create = ({ namespace, serviceAccount, cluster, role }: In): string =>
  sh`aws eks create-pod-identity-association --cluster-name ${cluster} --namespace ${namespace} --service-account ${serviceAccount} --role-arn ${role}`
const added = (data: In): string =>
  advice(
    `Create an association for ServiceAccount ${data.serviceAccount} in namespace ${data.namespace} of cluster ${data.cluster}${data.role === unnamed.roleArn ? '; ROLE_ARN is the role that it shall have' : ''}, then restart what runs as it (the last command lists the pods).`,
    create(data),
    podsOf(data),
  )

export const check = defineCheck({
  meta: {
    id,
    title: 'A Pod Identity association names this ServiceAccount',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Pod Identity',
    why: 'EKS gives credentials only to a ServiceAccount that an association of this very cluster names, letter for letter.',
    fix: {
      safety: 'review',
      does: 'Create the association with the role of the near-named one, then restart the workload; which role it is, is for a person to say.',
    },
    links: [
      'https://github.com/aws/eks-pod-identity-agent/tree/d4dc0f3',
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html',
    ],
  },
  only: { probe: associations, otherwise: 'the ServiceAccount is not bound by EKS Pod Identity' },
  needs: {},
  wants: { associations, clusterName, podsOfServiceAccount, errorsOfServiceAccount },
  after: [],
  messages: {
    'other-cluster': ({ namespace, serviceAccount, found, cluster }: In & { found: string }) =>
      `the association for ${namespace}/${serviceAccount} is in cluster ${found}, not in ${cluster}`,
    'name-differs': ({ namespace, serviceAccount, found }: In & { found: string }) =>
      `the association is for ${found}, the ServiceAccount is ${namespace}/${serviceAccount}`,
    gone: ({ namespace, serviceAccount, pod, cluster }: In & { pod: string }) =>
      `pod ${pod} was injected for Pod Identity, but cluster ${cluster} has no association for ${namespace}/${serviceAccount}`,
    'reported-not-found': ({ error }: In & { error: string }) =>
      `the Pod Identity agent was told that there is no association ("${error}"); the associations were not seen`,
  },
  remedies: { 'other-cluster': added, 'name-differs': added, gone: added, 'reported-not-found': added },
  judge: ({ want: { associations, clusterName, podsOfServiceAccount, errorsOfServiceAccount }, subject }) => {
    const account = accountOf(subject)
    const cluster = clusterName.state === 'known' ? clusterName.value : undefined
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const injected = pods.find(asksPodIdentityAgent)
    const error = (errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []).find(
      ({ fragment, text }) => ofThisCheck.has(fragment) && isOfAgent(text),
    )
    const place: In = { ...account, cluster: cluster ?? 'CLUSTER', role: unnamed.roleArn }
    const said = error === undefined ? [] : [ofError(error)]
    if (associations.state === 'unknown') {
      if (error !== undefined && subject.kind === 'Cluster')
        return {
          status: 'fail',
          message: 'reported-not-found',
          data: { ...place, error: wordsOf(error.text) },
          evidence: said,
        }
      // Without the list this cannot be a pass.
      return error === undefined
        ? { status: 'pass', evidence: [] }
        : {
            status: 'undecided',
            lacks: `${error.place} says that there was no association; the associations were not seen`,
            evidence: said,
          }
    }
    if (associations.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is not bound by EKS Pod Identity' }
    const { items, complete } = associations.value
    const evidence: readonly Evidence[] = [
      {
        question: associations.from,
        path: 'associations',
        observed: items.slice(0, 20).map((one) => `${one.namespace}/${one.serviceAccount}`),
        expected: `${account.namespace}/${account.serviceAccount}`,
      },
      ...said,
    ]
    const exact = items.filter(
      (one) => one.namespace === account.namespace && one.serviceAccount === account.serviceAccount,
    )
    const here = (one: SeenAssociation): boolean => one.cluster === undefined || one.cluster === cluster
    if (exact.some(here)) return { status: 'pass', evidence }
    if (cluster === undefined && items.some((one) => one.cluster !== undefined))
      return {
        status: 'undecided',
        lacks: 'which cluster is examined was not seen, so whose associations these are is not known',
        lift: 'aws eks describe-cluster --name CLUSTER',
        evidence,
      }
    const roleOf = (one: SeenAssociation): string => one.roleArn ?? unnamed.roleArn
    const [elsewhere] = exact
    if (elsewhere?.cluster !== undefined)
      return {
        status: 'fail',
        message: 'other-cluster',
        data: { ...place, found: elsewhere.cluster, role: roleOf(elsewhere) },
        evidence,
      }
    const other = complete ? items.filter(here).find(isNear(account)) : undefined
    if (other !== undefined)
      return {
        status: 'fail',
        message: 'name-differs',
        data: { ...place, found: `${other.namespace}/${other.serviceAccount}`, role: roleOf(other) },
        evidence,
      }
    if (injected !== undefined && complete)
      return { status: 'fail', message: 'gone', data: { ...place, pod: injected.name }, evidence }
    if (injected !== undefined || error !== undefined)
      return {
        status: 'undecided',
        lacks: complete
          ? 'there is no association, and no pod was seen that was made for one'
          : 'not all associations of the cluster were seen',
        lift: 'aws eks list-pod-identity-associations --cluster-name CLUSTER',
        evidence,
      }
    return { status: 'not-applicable', reason: 'the ServiceAccount is not bound by EKS Pod Identity' }
  },
})
