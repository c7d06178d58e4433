/** Whether the store admits the identity that a mount comes with. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { storageAccount } from '../../probes/storage/azure-facts.ts'
import { storeErrors } from '../../probes/storage/object-errors.ts'
import { storeOf } from '../../probes/storage/store.ts'
import { partOf, provedBy, saidFor } from '../../probes/storage/words.ts'

const id = 'storage/store-admits-the-identity'

type Data = {
  readonly store: string
  readonly endpoint: string
  readonly rule: string
  readonly type: string
  readonly host: string
  readonly reason: string
  readonly action: string
  readonly caller: string
}

const messages = {
  'uniform-access-off': ({ store }: Data) =>
    `bucket ${store} has uniform bucket-level access off; federated principals need it on`,
  disabled: ({ store }: Data) => `storage account ${store} is disabled`,
  'not-found': ({ store, endpoint }: Data) => `${store} does not exist at ${endpoint}`,
  'network-refused': ({ store, rule }: Data) => `the network rules of ${store} (${rule}) keep the pod out`,
  'hierarchical-as-flat': ({ store, type, host }: Data) =>
    `account ${store} has a hierarchical namespace and is mounted as ${type}; use adls and reach ${host}`,
  'scan-pending': ({ store }: Data) =>
    `the pod is held by gate gke-gcsfuse/bucket-scan-pending: the GKE service agent may not read bucket ${store}`,
  'token-rejected': ({ store, reason }: Data) => `${store} does not accept the token: ${reason}`,
  refused: ({ store, action, caller }: Data) => `${store} refuses ${action} to ${caller}`,
}

const account = 'az storage account show --name ACCOUNT > account.json'
const byHand = (sentence: string): string => advice(sentence)

export const check = defineCheck({
  meta: {
    id,
    title: 'The bucket or container admits the identity',
    severity: 'error',
    scope: 'object',
    kinds: ['PersistentVolume', 'Pod'],
    cloud: 'any',
    section: 'Storage',
    why: 'The credentials worked and the store said no: what is missing is a grant, or a way through its network rules.',
    fix: {
      safety: 'manual',
      does: 'Take store, caller and action to whoever owns the store, with the narrowest role that holds the action; nothing is granted from here.',
    },
    links: [
      'https://github.com/kahing/goofys/issues/601',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://github.com/MicrosoftDocs/azure-docs/issues/66953',
      'https://github.com/Azure/azure-storage-fuse/blob/74098e3/TSG.md',
    ],
  },
  only: { probe: storeOf, otherwise: 'nothing was seen of a store and its answers' },
  needs: { storeOf },
  wants: { storeErrors, storageAccount },
  after: ['storage/mounter-supports-the-identity', 'storage/mounter-asks-for-the-identity'],
  messages,
  remedies: {
    'uniform-access-off': ({ store }) =>
      byHand(
        `Switch uniform bucket-level access of ${store} on (gcloud storage buckets update gs://BUCKET --uniform-bucket-level-access), after looking at who uses its object ACLs; or impersonate a Google service account.`,
      ),
    disabled: ({ store }) =>
      byHand(`Ask the owner of storage account ${store} why it is disabled: ${account} shows it.`),
    'not-found': ({ store }) => byHand(`Correct the name of ${store} in the volume or the command, or create it.`),
    'network-refused': ({ store }) =>
      byHand(
        `Let the subnet of the nodes, or a private endpoint, into the network rules of ${store}: ${account} shows them.`,
      ),
    'hierarchical-as-flat': ({ host }) =>
      byHand(`Add --use-adls=true to the mount options, and let the pod reach ${host} as well.`),
    'scan-pending': ({ store }) =>
      byHand(
        `Give the GKE service agent (service-NUMBER@container-engine-robot.iam.gserviceaccount.com) roles/storage.objectViewer on bucket ${store}.`,
      ),
    'token-rejected': ({ store }) =>
      byHand(
        `Take a token for the store that ${store} belongs to: see that tenant, audience and clock are those of the account.`,
      ),
    refused: ({ store, caller, action }) =>
      byHand(
        `Give ${caller} the narrowest role on ${store} that holds ${action}: for reading roles/storage.objectViewer, Storage Blob Data Reader or s3:ListBucket with s3:GetObject; for writing roles/storage.objectUser, Storage Blob Data Contributor or s3:PutObject and s3:DeleteObject as well.`,
      ),
  },
  judge: ({ have: { storeOf }, want: { storeErrors, storageAccount } }) => {
    if (storeOf.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing was seen of a store and its answers' }
    const { name, gates, flat } = storeOf.value
    const said = saidFor(storeErrors.state === 'known' ? storeErrors.value : [], id)
    const seen = storageAccount.state === 'known' ? storageAccount.value : undefined
    const evidence: Evidence[] = said.map(({ error }) => ofError(error))
    if (seen !== undefined)
      evidence.push({
        question: storageAccount.from,
        path: seen.name,
        observed: `status ${seen.status ?? 'not seen'}, public network access ${seen.publicAccess ?? 'not seen'}, default action ${seen.defaultAction ?? 'not seen'}`,
      })
    const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{
          store: seen?.name ?? name ?? 'the store',
          endpoint: 'its endpoint',
          rule: 'as it says',
          type: 'flat blob storage',
        },
        ...{
          host: `${seen?.name ?? 'the account'}.dfs.core.windows.net`,
          reason: 'as it says',
          action: 'access',
          caller: 'the identity',
          ...more,
        },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    const text = (message: string): string | undefined => provedBy(said, message)?.text
    const uniform = text('uniform-access-off')
    if (uniform !== undefined) return failing('uniform-access-off', bucketIn(uniform, name))
    if (text('disabled') !== undefined || seen?.status?.toLowerCase() === 'unavailable') return failing('disabled')
    const lost = text('not-found')
    if (lost !== undefined) return failing('not-found', bucketIn(lost, name))
    const closed =
      seen?.publicAccess === 'Disabled'
        ? 'publicNetworkAccess Disabled'
        : seen?.defaultAction === 'Deny'
          ? 'defaultAction Deny'
          : undefined
    if (text('network-refused') !== undefined)
      return failing('network-refused', { rule: closed ?? 'its firewall, as a rule' })
    if (seen?.hierarchical === true && flat && said.length > 0) return failing('hierarchical-as-flat')
    if (gates.includes('gke-gcsfuse/bucket-scan-pending') || text('scan-pending') !== undefined)
      return failing('scan-pending')
    const rejected = text('token-rejected')
    if (rejected !== undefined)
      return failing('token-rejected', {
        reason: partOf(
          rejected,
          /(Invalid Credentials|[Aa]udience validation failed|issuer .{1,80})/,
          'audience, tenant or lifetime are not those that it takes',
        ),
      })
    const refused = text('refused')
    if (refused !== undefined)
      return failing('refused', {
        ...bucketIn(refused, name),
        action: partOf(
          refused,
          /(storage\.[a-zA-Z]+\.[a-zA-Z]+|(?<=not authorized to perform: )s3:\w+|ListObjectsV2)/,
          'access',
        ),
        caller: partOf(
          refused,
          /([\w-]{1,63}@[\w.-]{1,80}\.gserviceaccount\.com|(?<=User: )arn:aws[\w:/.+=@-]{1,200})/,
          'the identity of the mount',
        ),
      })
    if (said.length > 0) return { status: 'undecided', lacks: 'what the store refuses', evidence }
    if (seen === undefined) return { status: 'not-applicable', reason: 'nothing was seen of a store and its answers' }
    if (closed !== undefined)
      return {
        status: 'undecided',
        lacks: `whether the pod comes by a private endpoint or an admitted subnet (${closed})`,
        evidence,
      }
    return { status: 'pass', evidence }
  },
})

const bucketIn = (text: string, name: string | undefined): { readonly store: string } => ({
  store: partOf(
    text,
    /(?:bucket|Bucket|access) ['"\\]{0,2}([a-z0-9][\w.-]{1,61}[a-z0-9])['"\\]?(?: in region|:|"|')/,
    name ?? 'the store',
  ),
})
