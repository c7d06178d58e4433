/** Whether a volume of Azure Blob asks for workload identity in the form that its driver reads. */
import { defineCheck, type Evidence, type Verdict } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { attribute, type Volume } from '../../domain/storage-volumes.ts'
import { seeVolume } from '../../domain/volume-advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { meansWorkloadIdentity } from '../../probes/storage/azure-facts.ts'
import { blobVolume } from '../../probes/storage/kinds-of-volume.ts'
import { volumeErrors } from '../../probes/storage/object-errors.ts'
import { provedBy, saidFor, worstOf } from '../../probes/storage/words.ts'

const id = 'storage/blob-volume-uses-workload-identity'
const identities = [
  'AzureStorageIdentityClientID',
  'AzureStorageIdentityObjectID',
  'AzureStorageIdentityResourceID',
] as const
const switchName = 'mountWithWorkloadIdentityToken'

type Data = {
  readonly volume: string
  readonly secret: string
  readonly identity: string
  readonly attribute: string
  readonly value: string
}

const anew = (data: Data, what: string): string =>
  advice(
    `Make ${data.volume} and its claim anew with ${what}: the attributes of a volume cannot be changed.`,
    ...seeVolume(data.volume),
  )
const rightForm = `clientID of the identity (driver 1.24.0 and later) and, from driver 1.27.0 on, ${switchName}: "true"`

const messages = {
  'nfs-has-no-identity': ({ volume }: Data) =>
    `${volume} has protocol nfs, which carries no identity; access is by network rules`,
  'secret-wins': ({ volume, secret }: Data) => `${volume} names secret ${secret} beside clientID; the secret is used`,
  'managed-identity-instead': ({ volume, identity }: Data) =>
    `${volume} has AzureStorageAuthType msi, which asks the node for identity ${identity}; workload identity is clientID`,
  'identity-without-auth-type': ({ volume, attribute }: Data) =>
    `${volume} has ${attribute} without AzureStorageAuthType, so the driver looks for an account key; workload identity is clientID`,
  'client-id-missing': ({ volume }: Data) =>
    `${volume} has ${switchName} without clientID, so the driver takes the cluster's own identity or refuses`,
  'value-not-true': ({ volume, value }: Data) => `${switchName} of ${volume} is ${value}; only "true" counts`,
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The Azure blob volume asks for workload identity in the form the driver reads',
    severity: 'error',
    scope: 'object',
    kinds: ['PersistentVolume', 'StorageClass', 'Pod'],
    cloud: 'azure',
    section: 'Storage',
    why: "The driver mounts with the pod's token only where the volume says clientID; labels and annotations of workload identity play no part.",
    fix: {
      safety: 'review',
      does: 'Correct the attributes of a volume that stands in the pod template; make a PersistentVolume and its claim anew with clientID (and mountWithWorkloadIdentityToken where the driver has it) by hand, since theirs cannot be changed.',
    },
    links: [
      'https://github.com/Azure/azure-storage-fuse/issues/1305',
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1857',
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/2327',
      'https://github.com/kubernetes-sigs/blob-csi-driver/blob/0744a60/docs/workload-identity-static-pv-mount.md',
    ],
  },
  only: { probe: blobVolume, otherwise: 'no volume of Azure Blob' },
  needs: { blobVolume },
  wants: { volumeErrors, meansWorkloadIdentity },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'nfs-has-no-identity': (data) => anew(data, `protocol fuse2 and ${rightForm}, or keep nfs and leave clientID out`),
    'secret-wins': (data) => anew(data, `${rightForm}, and without secret ${data.secret}`),
    'managed-identity-instead': (data) =>
      anew(data, `${rightForm}, in the place of AzureStorageAuthType and AzureStorageIdentity*`),
    'identity-without-auth-type': (data) => anew(data, `${rightForm}, in the place of ${data.attribute}`),
    'client-id-missing': (data) => anew(data, rightForm),
    'value-not-true': (data) => anew(data, `${switchName}: "true"`),
  },
  judge: ({ have: { blobVolume }, want: { volumeErrors, meansWorkloadIdentity } }) => {
    if (blobVolume.state === 'absent') return { status: 'not-applicable', reason: 'no volume of Azure Blob' }
    const judgeOne = (volume: Volume | undefined): Verdict<typeof messages> => {
      const said = saidFor(volumeErrors.state === 'known' ? volumeErrors.value : [], id)
      const of = (name: string): string | undefined => {
        const value = volume === undefined ? undefined : attribute(volume, name)
        return value === '' ? undefined : value
      }
      const client = of('clientID')
      const named = identities.find((name) => of(name) !== undefined)
      const identity = named === undefined ? 'of its scale set' : (of(named) ?? '')
      const evidence: Evidence[] = said.map(({ error }) => ofError(error))
      if (volume !== undefined)
        evidence.push({ question: blobVolume.from, path: volume.path, observed: volume.attributes })
      if (meansWorkloadIdentity.state === 'known')
        evidence.push({
          question: meansWorkloadIdentity.from,
          path: 'securityProfile.workloadIdentity',
          observed: meansWorkloadIdentity.value,
        })
      const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
        const data: Data = {
          ...{ volume: volume?.id ?? 'the volume', secret: volume?.secret ?? of('secretName') ?? '', identity },
          ...{ attribute: named ?? 'AzureStorageIdentityClientID', value: of(switchName) ?? '', ...more },
        }
        return { status: 'fail', message, data, evidence } as const
      }
      const wants = client !== undefined || of(switchName) !== undefined
      if (of('protocol')?.toLowerCase() === 'nfs' && (wants || named !== undefined))
        return failing('nfs-has-no-identity')
      const secret = volume?.secret ?? of('secretName')
      if (client !== undefined && secret !== undefined) return failing('secret-wins', { secret })
      const msi = of('AzureStorageAuthType')?.toLowerCase() === 'msi'
      const refused = provedBy(said, 'managed-identity-instead')
      if (
        (msi && (meansWorkloadIdentity.state === 'known' || refused !== undefined)) ||
        (volume === undefined && refused !== undefined)
      )
        return failing('managed-identity-instead')
      const keyless = provedBy(said, 'identity-without-auth-type')
      if (named !== undefined && of('AzureStorageAuthType') === undefined && client === undefined)
        return failing('identity-without-auth-type')
      if (
        provedBy(said, 'client-id-missing') !== undefined ||
        (of(switchName) !== undefined && of(switchName) !== 'false' && client === undefined)
      )
        return failing('client-id-missing')
      const value = of(switchName)
      if (value !== undefined && value !== 'true' && value !== 'false')
        return failing('value-not-true', { value: `"${value}"` })
      if (client !== undefined) return said.length > 0 ? open(evidence) : { status: 'pass', evidence }
      if (keyless !== undefined || said.length > 0) return open(evidence)
      if (msi && meansWorkloadIdentity.state === 'unknown')
        return {
          status: 'undecided',
          lacks: 'whether workload identity is meant, or an identity of the node',
          lift: 'az aks show --name CLUSTER --resource-group GROUP > aks.json',
          evidence,
        }
      return { status: 'not-applicable', reason: 'the volume asks for no workload identity' }
    }
    const [first, ...others] = blobVolume.value
    return worstOf([judgeOne(first), ...others.map(judgeOne)])
  },
})

const open = (evidence: readonly Evidence[]) =>
  ({
    status: 'undecided',
    lacks: 'which attributes the volume has that the driver speaks of',
    lift: 'kubectl get persistentvolumes -o yaml',
    evidence,
  }) as const
