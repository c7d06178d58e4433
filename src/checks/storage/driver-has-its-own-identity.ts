/** Whether the ServiceAccount of a driver that acts for itself has the identity that its volumes need. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { driverAccounts } from '../../probes/storage/driver-accounts.ts'
import { driverErrors } from '../../probes/storage/object-errors.ts'
import { saidFor } from '../../probes/storage/words.ts'

const id = 'storage/driver-has-its-own-identity'

type Data = {
  readonly driver: string
  readonly account: string
  readonly bound: string
  readonly needed: string
  readonly hops: number | string
}

const bind = ({ driver, needed }: Data): string => {
  const [namespace = 'kube-system', name = ''] = needed.split('/')
  return advice(
    `Give ${needed} a role that ${driver} may use, by annotation or EKS Pod Identity, and restart the pods of the driver. When nothing shows why a mount of Mountpoint has no credentials, add debug-crt to its mountOptions.`,
    sh`aws eks create-pod-identity-association --cluster-name CLUSTER --namespace ${namespace} --service-account ${name} --role-arn ROLE_ARN`,
  )
}

const messages = {
  'account-not-bound': ({ driver, account }: Data) =>
    `driver ${driver} runs as ${account}, which is bound to no identity, so it uses that of the node`,
  'wrong-account-bound': ({ bound, driver, needed }: Data) =>
    `the identity is bound to ${bound}; driver ${driver} needs it on ${needed}`,
  'metadata-out-of-reach': ({ driver, hops, needed }: Data) =>
    `driver ${driver} takes credentials or the zone from node metadata, which answers ${hops} hop(s); its pods (${needed}) are 2 away`,
}

export const check = defineCheck({
  meta: {
    id,
    title: "The driver's own ServiceAccount has the identity its volumes need",
    severity: 'error',
    scope: 'object',
    kinds: ['CSIDriver'],
    cloud: 'aws',
    section: 'Storage',
    why: 'EBS, EFS and Mountpoint for S3 act with the identity of their own pods, whatever identity the application has.',
    fix: {
      safety: 'manual',
      does: 'Bind the ServiceAccount that the driver runs as to a role, by the mechanism that the cluster uses.',
    },
    links: [
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/586',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/662',
      'https://github.com/kubernetes-sigs/aws-efs-csi-driver/issues/1254',
    ],
  },
  only: { probe: driverAccounts, otherwise: 'no driver that acts with an identity of its own' },
  needs: { driverAccounts },
  wants: { driverErrors },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'account-not-bound': bind,
    'wrong-account-bound': bind,
    'metadata-out-of-reach': (data) =>
      advice(
        `Give ${data.needed} a role of its own, which needs no metadata; or raise the hop limit of the nodes to 2, which lets every pod take the role of the node. For the zone, EBS takes --metadata-sources kubernetes.`,
        'aws ec2 describe-instances --query "Reservations[].Instances[].[InstanceId,MetadataOptions.HttpPutResponseHopLimit]" --output text',
      ),
  },
  judge: ({ have: { driverAccounts }, want: { driverErrors } }) => {
    const none = { status: 'not-applicable', reason: 'no driver that acts with an identity of its own' } as const
    if (driverAccounts.state === 'absent') return none
    const { driver, needed, others, hops } = driverAccounts.value
    const said = saidFor(driverErrors.state === 'known' ? driverErrors.value : [], id)
    const evidence: Evidence[] = [
      ...said.map(({ error }) => ofError(error)),
      ...needed.map(({ account, bound, role }) => ({
        question: driverAccounts.from,
        path: account,
        observed: role ?? (bound === undefined ? 'not seen' : bound ? 'an association' : 'bound to nothing'),
      })),
    ]
    const failing = (message: keyof typeof messages, account: string, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{ driver: driver || 'of the volume', account, bound: '', needed: account, hops: 1, ...more },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    const unbound = needed.filter(({ bound }) => bound === false)
    const [first] = unbound
    const metadata = said.some(({ error }) => error.text.includes('could not get EC2 instance identity metadata'))
    if (first !== undefined && said.length > 0 && others.length === 0 && !metadata && hops !== 1)
      return failing('account-not-bound', first.account)
    const half = needed.find(({ bound }) => bound === true)
    const wrongly = others[0] ?? (unbound.length > 0 ? half?.account : undefined)
    if (first !== undefined && wrongly !== undefined)
      return failing('wrong-account-bound', first.account, { bound: wrongly })
    if (first !== undefined && (hops === 1 || metadata))
      return failing('metadata-out-of-reach', first.account, { hops: hops ?? 'too few' })
    if (needed.length > 0 && needed.every(({ bound }) => bound === true)) return { status: 'pass', evidence }
    if (said.length > 0)
      return {
        status: 'undecided',
        lacks: 'which ServiceAccount the driver runs as, and what binds it',
        lift: 'kubectl get serviceaccounts -n kube-system -o yaml',
        evidence,
      }
    // The role of the node serves as well, where nothing says otherwise.
    return {
      status: 'not-applicable',
      reason: 'the driver uses the identity of its node, and nothing says that this fails',
    }
  },
})
