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

const azureIntent = {
  'azure-identity': Flags.string({
    helpValue: 'NAME|CLIENT_ID|RESOURCE_ID',
    summary: 'The user-assigned managed identity of Azure that the ServiceAccount shall have.',
  }),
  'azure-app': Flags.string({
    helpValue: 'APP_ID',
    summary: 'The application of Entra that the ServiceAccount shall have.',
  }),
}

const gcpIntents = {
  'gcp-service-account': Flags.string({
    helpValue: 'EMAIL',
    summary: 'The Google service account that it shall act as, on GKE.',
  }),
  'gcp-direct': Flags.boolean({
    dependsOn: ['role', 'on'],
    summary: 'Grant --role on --on to the ServiceAccount itself, on GKE, without a Google service account.',
  }),
  'gcp-provider': Flags.string({
    helpValue: 'projects/…/providers/ID',
    summary: 'The provider of a workload identity pool that trusts this cluster, outside GKE.',
  }),
}

export const bindFlags = {
  ...awsIntent,
  ...azureIntent,
  ...gcpIntents,
  role: Flags.string({
    helpValue: 'ROLE',
    dependsOn: ['on'],
    exclusive: ['aws-role', 'gcp-service-account', 'service-account-only'],
    summary: 'Give the identity this role too, at the one resource that --on names.',
  }),
  on: Flags.string({
    helpValue: 'SCOPE|projects/ID|buckets/NAME',
    dependsOn: ['role'],
    summary: 'The one resource at which the role is given.',
  }),
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
