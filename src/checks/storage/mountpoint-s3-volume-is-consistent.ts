/** Whether a volume of Mountpoint for S3 says whose identity it uses, in a way that the driver can follow. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { attribute, s3Driver } from '../../domain/storage-volumes.ts'
import { compareVersions, readVersion } from '../../domain/versions.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { driverVersion } from '../../probes/storage/driver-versions.ts'
import { s3Volume } from '../../probes/storage/kinds-of-volume.ts'
import { volumeErrors } from '../../probes/storage/object-errors.ts'
import { sameHandles } from '../../probes/storage/same-handles.ts'
import { partOf, provedBy, saidFor } from '../../probes/storage/words.ts'

const id = 'storage/mountpoint-s3-volume-is-consistent'

type Data = {
  readonly volume: string
  readonly value: string
  readonly class: string
  readonly version: string
  readonly account: string
  readonly handle: string
  readonly volumes: string
}

const anew = (data: Data, what: string): string =>
  advice(
    `Make ${data.volume} and its claim anew with ${what}: the source of a PersistentVolume cannot be changed.`,
    'kubectl get persistentvolumes',
  )
const upgrade = (what: string): string => advice(what, 'kubectl get daemonset s3-csi-node -n kube-system -o yaml')

const messages = {
  'unknown-source': ({ value, volume }: Data) => `authenticationSource ${value} of ${volume} is neither driver nor pod`,
  'not-static': ({ class: name }: Data) => `StorageClass ${name} names ${s3Driver}, which has no dynamic provisioning`,
  'pod-source-unsupported': ({ volume, version }: Data) =>
    `${volume} asks for the pod's identity; driver ${version} cannot, it can from 1.9.0`,
  'role-annotation-missing': ({ version, account }: Data) =>
    `driver ${version} needs a role annotation on ${account}; Pod Identity works from 2.0.0`,
  'pod-info-compat-off': ({ volume, version }: Data) =>
    `${volume} asks for the pod's identity; driver ${version} needs node.podInfoOnMountCompat.enable=true`,
  'region-unknown': ({ volume }: Data) => `the driver cannot tell the STS region for ${volume}; set stsRegion`,
  'handle-shared': ({ handle, volumes }: Data) => `volumeHandle ${handle} is used by ${volumes}; it must be unique`,
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The Mountpoint for S3 volume says whose identity it uses, and the driver can',
    severity: 'error',
    scope: 'object',
    kinds: ['PersistentVolume', 'StorageClass'],
    cloud: 'aws',
    section: 'Storage',
    why: 'The driver mounts with its own identity unless the volume says pod, and only some versions can do that.',
    fix: {
      safety: 'manual',
      does: 'Make the volume anew with the corrected attribute: the source of a PersistentVolume cannot be changed, and the driver mounts no volume that stands in a pod.',
    },
    links: [
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/276',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/215',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/781',
    ],
  },
  only: { probe: s3Volume, otherwise: 'no volume of Mountpoint for S3' },
  needs: { s3Volume },
  wants: { volumeErrors, driverVersion, sameHandles },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'unknown-source': (data) => anew(data, 'authenticationSource driver or pod'),
    'not-static': (data) =>
      advice(
        `Write a PersistentVolume with driver ${s3Driver} and the bucket, and a claim with storageClassName "" that names it, in the place of StorageClass ${data.class}.`,
        sh`kubectl get storageclass ${data.class} -o yaml`,
      ),
    'pod-source-unsupported': () =>
      upgrade('Upgrade the driver to 2.0.0 or later, which can use the identity of the pod without more.'),
    'role-annotation-missing': (data) =>
      upgrade(`Upgrade the driver to 2.0.0 or later, or annotate ${data.account} with eks.amazonaws.com/role-arn.`),
    'pod-info-compat-off': () =>
      upgrade(
        'Set the chart value node.podInfoOnMountCompat.enable=true, or upgrade the driver to 2.0.0 or later, which needs it no more.',
      ),
    'region-unknown': (data) => anew(data, 'volumeAttributes.stsRegion'),
    'handle-shared': (data) => anew(data, 'a volumeHandle of its own'),
  },
  judge: ({ have: { s3Volume }, want: { volumeErrors, driverVersion, sameHandles } }) => {
    if (s3Volume.state === 'absent') return { status: 'not-applicable', reason: 'no volume of Mountpoint for S3' }
    const [volume] = s3Volume.value
    const said = saidFor(volumeErrors.state === 'known' ? volumeErrors.value : [], id)
    const version = driverVersion.state === 'known' ? driverVersion.value : undefined
    const read = version === undefined ? undefined : readVersion(version)
    const source = volume === undefined ? undefined : attribute(volume, 'authenticationSource')
    const evidence: Evidence[] = said.map(({ error }) => ofError(error))
    if (volume !== undefined)
      evidence.push({
        question: s3Volume.from,
        path: `${volume.path}.authenticationSource`,
        observed: source ?? 'not set (driver)',
      })
    if (version !== undefined) evidence.push({ question: driverVersion.from, path: 's3-csi-node', observed: version })
    const others = sameHandles.state === 'known' ? sameHandles.value : { names: [], complete: true }
    const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{ volume: volume?.id ?? 'the volume', value: source ?? 'not set', class: volume?.name ?? '' },
        ...{ version: version ?? 'before 2.0.0', account: "the pod's ServiceAccount", handle: volume?.handle ?? '' },
        ...{ volumes: others.names.join(', '), ...more },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    if (volume?.kind === 'StorageClass') return failing('not-static')
    const unknownSource = provedBy(said, 'unknown-source')
    if (source !== undefined && source !== '' && source !== 'driver' && source !== 'pod')
      return failing('unknown-source')
    if (unknownSource !== undefined && source === undefined)
      return failing('unknown-source', {
        value: partOf(unknownSource.text, /unknown `authenticationSource`: "?([\w-]{1,60})/, 'of the volume'),
      })
    if (source === 'pod' && read !== undefined && compareVersions(read, [1, 9]) < 0)
      return failing('pod-source-unsupported')
    const role = provedBy(said, 'role-annotation-missing')
    if (role !== undefined && (read === undefined || compareVersions(read, [2]) < 0))
      return failing('role-annotation-missing', {
        account: partOf(role.text, /service account ([a-z0-9-]{1,63}\/[a-z0-9.-]{1,253})/, "the pod's ServiceAccount"),
      })
    if (provedBy(said, 'pod-info-compat-off') !== undefined) return failing('pod-info-compat-off')
    if (provedBy(said, 'region-unknown') !== undefined && (volume === undefined || !attribute(volume, 'stsRegion')))
      return failing('region-unknown')
    if (others.names.length > 1) return failing('handle-shared')
    if (volume === undefined) return { status: 'not-applicable', reason: 'no volume of Mountpoint for S3' }
    if (said.length > 0) return { status: 'undecided', lacks: 'whether what the driver said still holds', evidence }
    if (source === 'pod' && read === undefined)
      return {
        status: 'undecided',
        lacks: 'which version of the driver runs: before 1.9.0 it cannot use the identity of the pod',
        lift: 'kubectl get daemonsets -n kube-system -o yaml',
        evidence,
      }
    if (!others.complete)
      return {
        status: 'undecided',
        lacks: 'whether another volume has the same volumeHandle',
        lift: 'kubectl get persistentvolumes -o yaml',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
