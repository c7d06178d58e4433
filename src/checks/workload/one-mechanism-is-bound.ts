/** One mechanism of one cloud serves the workload. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from '../../domain/audiences.ts'
import { bindingsOf, type MechanismBinding, winnerOf } from '../../domain/bindings.ts'
import { sh } from '../../domain/shell-words.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { associationBeside } from '../../probes/aws/association.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { interceptors } from '../../probes/workload/interceptors.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { podsOfServiceAccount } from '../../probes/workload/pods.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const id = 'workload/one-mechanism-is-bound'
const ofThisCheck = fragmentsOf(id)

type Two = Account & { readonly first: string; readonly second: string; readonly by: string }

const keys = {
  'role-annotation': roleAnnotation,
  'azure-annotation': azureClientAnnotation,
  'google-annotation': googleAnnotation,
} as const
/** What takes one binding away; nobody picks which of two to keep but the reader. */
const remove = ({ namespace, serviceAccount }: Account, by: string): readonly string[] => {
  if (by === 'association')
    return [
      sh`aws eks list-pod-identity-associations --cluster-name CLUSTER --namespace ${namespace} --service-account ${serviceAccount}`,
      'aws eks delete-pod-identity-association --cluster-name CLUSTER --association-id ASSOCIATION_ID',
    ]
  const key = Object.entries(keys).find(([name]) => name === by)?.[1]
  return key === undefined ? [] : [sh`kubectl annotate serviceaccount/${serviceAccount} -n ${namespace} ${`${key}-`}`]
}
const removeOne = (data: Two): string =>
  advice(
    `Decide which of ${data.first} and ${data.second} is meant, see who relies on the other (the first command lists the pods), and take that one away with its own command below; then restart what runs as the ServiceAccount.`,
    podsOf(data),
    ...data.by.split(' ').flatMap((by) => remove(data, by)),
  )

export const check = defineCheck({
  meta: {
    id,
    title: 'One mechanism of one cloud serves the workload',
    severity: 'warning',
    scope: 'service-account',
    cloud: 'any',
    section: 'Workload',
    why: 'Where two mechanisms bind one ServiceAccount, only one of them counts, and which one is easily taken for the other.',
    fix: {
      safety: 'manual',
      does: 'Remove the one binding that is not meant, after seeing who relies on it; which of two to keep is for a person to say.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go',
      'https://github.com/kubernetes-sigs/external-dns/issues/4149',
      'https://github.com/matheuscscp/gke-metadata-server/issues/424',
    ],
  },
  needs: { serviceAccount },
  wants: { podsOfServiceAccount, associationBeside, interceptors, errorsOfServiceAccount },
  after: ['workload/service-account-exists'],
  messages: {
    'two-mechanisms': ({ serviceAccount, first, second, winner }: Two & { winner: string }) =>
      `ServiceAccount ${serviceAccount} is bound through ${first} and through ${second}; ${winner} wins`,
    'two-clouds': ({ serviceAccount, first, second }: Two) =>
      `ServiceAccount ${serviceAccount} is bound to ${first} and to ${second}; is that meant?`,
    'old-interceptor': (
      data: Account & { interceptor: string; address: string; mechanism: string; daemonSet: string; where: string },
    ) => `${data.interceptor} still answers for ${data.address} on the nodes, beside ${data.mechanism}`,
  },
  remedies: {
    'two-mechanisms': removeOne,
    'two-clouds': removeOne,
    'old-interceptor': (data) =>
      data.daemonSet === ''
        ? advice(
            `Find the DaemonSet of ${data.interceptor} and remove it with the tool that installed it, once no workload relies on it any more.`,
            'kubectl get daemonsets -A',
          )
        : advice(
            `Remove DaemonSet ${data.daemonSet} in namespace ${data.where} with the tool that installed it, once no workload relies on it any more.`,
            sh`kubectl get daemonset ${data.daemonSet} -n ${data.where} -o yaml`,
          ),
  },
  judge: ({ have, want, subject }) => {
    if (have.serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no such ServiceAccount' }
    const { podsOfServiceAccount, associationBeside, interceptors, errorsOfServiceAccount } = want
    const account = accountOf(subject)
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const associated = associationBeside.state === 'known' ? (associationBeside.value.roleArn ?? '') : undefined
    const bindings = bindingsOf(have.serviceAccount.value, pods, associated)
    const evidence = bindings.map(
      ({ by, named }): Evidence => ({
        question:
          by === 'association'
            ? associationBeside.from
            : by === 'external-account'
              ? podsOfServiceAccount.from
              : have.serviceAccount.from,
        path:
          by === 'association' ? 'associations' : by === 'external-account' ? 'spec.volumes' : 'metadata.annotations',
        observed: named,
      }),
    )
    const two = (a: MechanismBinding, b: MechanismBinding): Two => ({
      ...account,
      first: a.named,
      second: b.named,
      by: `${a.by} ${b.by}`,
    })
    for (const a of bindings)
      for (const b of bindings)
        if (a.cloud === b.cloud && bindings.indexOf(a) < bindings.indexOf(b))
          return {
            status: 'fail',
            message: 'two-mechanisms',
            data: { ...two(a, b), winner: winnerOf(a, b, pods) },
            evidence,
          }
    const [first, ...others] = bindings
    const other = others.find(({ cloud }) => cloud !== first?.cloud)
    if (first !== undefined && other !== undefined)
      return { status: 'fail', message: 'two-clouds', data: two(first, other), evidence }
    const error = (errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []).find(({ fragment }) =>
      ofThisCheck.has(fragment),
    )
    const beside = { ...account, address: '169.254.169.254', mechanism: first?.named ?? 'workload identity' }
    if (interceptors.state === 'known' && first !== undefined) {
      const { name, daemonSet, namespace } = interceptors.value
      return {
        status: 'fail',
        message: 'old-interceptor',
        data: { ...beside, interceptor: name, daemonSet, where: namespace },
        evidence: [
          ...evidence,
          { question: interceptors.from, path: `items[${daemonSet}]`, observed: `${namespace}/${daemonSet}` },
        ],
      }
    }
    if (error !== undefined)
      return {
        status: 'fail',
        message: 'old-interceptor',
        data: { ...beside, interceptor: 'NMI of aad-pod-identity', daemonSet: '', where: '' },
        evidence: [...evidence, ofError(error)],
      }
    return first === undefined
      ? { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity' }
      : { status: 'pass', evidence }
  },
})
