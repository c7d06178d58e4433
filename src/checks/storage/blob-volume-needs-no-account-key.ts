/** Whether a volume of Azure mounts by token where the storage account gives out no key. */
import { defineCheck, type Evidence, type Verdict } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { attribute, filesDriver, type Volume } from '../../domain/storage-volumes.ts'
import { seeVolume } from '../../domain/volume-advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { storageAccount } from '../../probes/storage/azure-facts.ts'
import { azureVolume } from '../../probes/storage/kinds-of-volume.ts'
import { volumeErrors } from '../../probes/storage/object-errors.ts'
import { partOf, provedBy, saidFor, worstOf } from '../../probes/storage/words.ts'

const id = 'storage/blob-volume-needs-no-account-key'

type Data = {
  readonly volume: string
  readonly account: string
  readonly state: string
  readonly identity: string
  readonly role: string
}

const messages = {
  'files-need-a-key': ({ volume, account }: Data) =>
    `${volume} is Azure Files, which always needs the account key; the shared keys of ${account} are off`,
  'lists-account-keys': ({ volume, account, state }: Data) =>
    `${volume} uses clientID to fetch the account key of ${account}, whose shared keys are ${state}; set mountWithWorkloadIdentityToken (driver 1.27.0)`,
  'may-not-list-keys': ({ identity, account, role }: Data) =>
    `${identity} may not list the keys of ${account}; token mode needs only ${role}`,
  'data-role-missing': ({ volume, identity, account }: Data) =>
    `${volume} mounts by token, and ${identity} has no blob data role on ${account}`,
}

const assign =
  'az role assignment create --assignee CLIENT_ID --scope ACCOUNT_ID --role "Storage Blob Data Contributor"'
const anew = (data: Data): string =>
  advice(
    `Make ${data.volume} and its claim anew with mountWithWorkloadIdentityToken: "true" (driver 1.27.0 and later), and give the identity the role Storage Blob Data Contributor on ${data.account} (${assign}).`,
    ...seeVolume(data.volume),
  )

export const check = defineCheck({
  meta: {
    id,
    title: 'The Azure volume mounts by token, rather than by account key',
    severity: 'error',
    scope: 'object',
    kinds: ['PersistentVolume', 'StorageClass', 'Pod'],
    cloud: 'azure',
    section: 'Storage',
    why: 'With clientID alone the driver spends the token on fetching the account key: an account without shared keys then refuses the mount.',
    fix: {
      safety: 'review',
      does: 'Switch a volume that stands in the pod template to token mode; make a PersistentVolume anew by hand, and give the identity the one data role; never switch shared keys on.',
    },
    links: [
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1351',
      'https://github.com/kubernetes-sigs/azurefile-csi-driver/issues/1737',
      'https://github.com/kubernetes-sigs/blob-csi-driver/blob/0744a60/docs/workload-identity-static-pv-mount.md',
    ],
  },
  only: { probe: azureVolume, otherwise: 'no volume of Azure' },
  needs: { azureVolume },
  wants: { volumeErrors, storageAccount },
  after: ['storage/blob-volume-uses-workload-identity'],
  messages,
  remedies: {
    'files-need-a-key': (data) =>
      advice(
        `Use Azure Blob by token, or an NFS share with network rules, in the place of ${data.volume}: SMB shares of Azure Files know no token.`,
        'kubectl get persistentvolumes,storageclasses',
      ),
    'lists-account-keys': anew,
    'may-not-list-keys': anew,
    'data-role-missing': (data) =>
      advice(
        `Give ${data.identity} the role Storage Blob Data Contributor on ${data.account}: ${assign}. New assignments take some minutes to count.`,
      ),
  },
  judge: ({ have: { azureVolume }, want: { volumeErrors, storageAccount } }) => {
    if (azureVolume.state === 'absent') return { status: 'not-applicable', reason: 'no volume of Azure' }
    const judgeOne = (volume: Volume | undefined): Verdict<typeof messages> => {
      const errors = volumeErrors.state === 'known' ? volumeErrors.value : []
      const said = saidFor(errors, id)
      const of = (name: string): string | undefined => (volume === undefined ? undefined : attribute(volume, name))
      // Of a pod with several, the account of the first was asked for.
      const named = of('storageAccount') ?? of('storageAccountName')
      const isOther = storageAccount.state === 'known' && named !== undefined && named !== storageAccount.value.name
      const account = storageAccount.state === 'known' && !isOther ? storageAccount.value : undefined
      const client = of('clientID')
      const byToken = of('mountWithWorkloadIdentityToken') === 'true'
      const evidence: Evidence[] = said.map(({ error }) => ofError(error))
      if (volume !== undefined)
        evidence.push({ question: azureVolume.from, path: volume.path, observed: volume.attributes })
      if (account !== undefined)
        evidence.push({
          question: storageAccount.from,
          path: 'allowSharedKeyAccess',
          observed: account.sharedKeys ?? 'not set (true)',
        })
      const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
        const data: Data = {
          ...{
            volume: volume?.id ?? 'the volume',
            account: account?.name ?? of('storageAccount') ?? 'the storage account',
          },
          state: account?.sharedKeys === false ? 'off' : 'refused',
          identity: client ? `client ${client}` : 'the identity',
          ...{ role: 'Storage Blob Data Contributor', ...more },
        }
        return { status: 'fail', message, data, evidence } as const
      }
      const isFiles = volume?.driver === filesDriver
      const nfs = of('protocol')?.toLowerCase() === 'nfs'
      const keyRefused = said.some(({ error }) => /Key ?[Bb]ased ?[Aa]uthentication/.test(error.text))
      const fetches = said.some(({ error }) => error.text.includes('use service account token to get account key'))
      const off = account?.sharedKeys === false
      if (isFiles && !nfs && (off || keyRefused)) return failing('files-need-a-key')
      const keyed = volume === undefined ? fetches : client !== undefined && !byToken && !isFiles
      if (keyed && (off || keyRefused)) return failing('lists-account-keys')
      const denied = provedBy(said, 'may-not-list-keys')
      if (denied !== undefined)
        return failing('may-not-list-keys', {
          identity: `client ${partOf(denied.text, /client \\*'([\w-]{1,60})\\*'/, client ?? 'of the volume')}`,
        })
      const dataRefused = errors.find(({ text }) => /AuthorizationPermissionMismatch|using this permission/.test(text))
      if (byToken && dataRefused !== undefined) return failing('data-role-missing')
      if (volume === undefined || (client === undefined && !isFiles) || nfs)
        return said.length === 0
          ? { status: 'not-applicable', reason: 'the volume asks for no workload identity' }
          : {
              status: 'undecided',
              lacks: 'which volume this is about, and whether the storage account takes keys',
              lift: 'kubectl get persistentvolumes -o yaml',
              evidence,
            }
      if (byToken) return { status: 'pass', evidence }
      if (account === undefined)
        return {
          status: 'undecided',
          lacks: 'whether the storage account takes keys',
          lift: 'az storage account list > accounts.json',
          evidence,
        }
      return { status: 'pass', evidence }
    }
    const [first, ...others] = azureVolume.value
    return worstOf([judgeOne(first), ...others.map(judgeOne)])
  },
})
