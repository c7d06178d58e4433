/** What `bind sa` can be told: one intent for one cloud, and what of it is to be done. */
import { Flags } from '@oclif/core'
import { fixFlags } from './fix.ts'

const { only: _, file, selector: __, 'all-namespaces': ___, overlay: ____, ...asFix } = fixFlags

/** Flags that name an intent; exactly one of them is given. */
const awsIntent = {
  'aws-role': Flags.string({
    helpValue: 'NAME|ARN',
    summary: "The IAM role that the ServiceAccount shall have; a name means one in the cluster's own account.",
  }),
}

export const bindFlags = {
  ...awsIntent,
  'pod-identity': Flags.boolean({
    dependsOn: ['aws-role'],
    summary: 'Bind by an EKS Pod Identity association instead of the issuer of the cluster (IRSA).',
  }),
  'create-role': Flags.boolean({
    dependsOn: ['aws-role'],
    exclusive: ['service-account-only'],
    summary: 'Make the role where there is none, for this ServiceAccount alone and with no permission of its own.',
  }),
  'attach-policy': Flags.string({
    helpValue: 'ARN',
    multiple: true,
    multipleNonGreedy: true,
    dependsOn: ['aws-role'],
    exclusive: ['service-account-only'],
    summary: 'Give the role this managed policy; may be given more than once.',
  }),
  'service-account-only': Flags.boolean({
    exclusive: ['cloud-only'],
    summary: 'Change the ServiceAccount alone; the cloud side exists already.',
  }),
  'cloud-only': Flags.boolean({ summary: 'Change the cloud side alone, and nothing in the cluster.' }),
  restart: Flags.boolean({ summary: 'Roll the workloads whose pods are older than the binding.' }),
  file,
  ...asFix,
}
