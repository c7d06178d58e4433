/** Volumes of CSI drivers as the checks of storage see them: PersistentVolumes, StorageClasses, volumes in a pod, and claims. */
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { attributesOf, type PodStorage } from './pod-storage.ts'

export type Volume = {
  /** As a message names it: `PersistentVolume pv-blob`. */
  readonly id: string
  readonly kind: 'PersistentVolume' | 'StorageClass' | 'Pod'
  readonly name: string
  readonly driver: string | undefined
  readonly attributes: { readonly [name: string]: string }
  readonly mountOptions: readonly string[]
  readonly handle?: string
  /** The Secret that it names beside its attributes. */
  readonly secret?: string
  /** The source of Kubernetes' own, before its driver took over. */
  readonly inTree?: InTree
  readonly claim?: { readonly namespace: string; readonly name: string }
  /** Where its attributes stand in the object. */
  readonly path: string
}

export type InTree = {
  readonly source: string
  readonly provisioner: string
  readonly driver: string
  readonly since: string
}

/** Migrated for good since: https://kubernetes.io/docs/concepts/storage/volumes/#csi-migration */
export const inTrees: readonly InTree[] = [
  {
    source: 'awsElasticBlockStore',
    provisioner: 'kubernetes.io/aws-ebs',
    driver: 'ebs.csi.aws.com',
    since: '1.25 (EKS 1.23)',
  },
  { source: 'gcePersistentDisk', provisioner: 'kubernetes.io/gce-pd', driver: 'pd.csi.storage.gke.io', since: '1.25' },
  { source: 'cinder', provisioner: 'kubernetes.io/cinder', driver: 'cinder.csi.openstack.org', since: '1.24' },
  { source: 'azureDisk', provisioner: 'kubernetes.io/azure-disk', driver: 'disk.csi.azure.com', since: '1.24' },
  { source: 'azureFile', provisioner: 'kubernetes.io/azure-file', driver: 'file.csi.azure.com', since: '1.26' },
  {
    source: 'vsphereVolume',
    provisioner: 'kubernetes.io/vsphere-volume',
    driver: 'csi.vsphere.vmware.com',
    since: '1.26',
  },
  { source: 'portworxVolume', provisioner: 'kubernetes.io/portworx-volume', driver: 'pxd.portworx.com', since: '1.31' },
]

/** Drivers about which something is known; each of them creates a CSIDriver object of its name. */
export const blobDriver = 'blob.csi.azure.com'
export const filesDriver = 'file.csi.azure.com'
export const s3Driver = 's3.csi.aws.com'
export const gcsDriver = 'gcsfuse.csi.storage.gke.io'
export const ebsDriver = 'ebs.csi.aws.com'
export const efsDriver = 'efs.csi.aws.com'
export const knownDrivers: ReadonlySet<string> = new Set([
  ...[blobDriver, filesDriver, s3Driver, gcsDriver, ebsDriver, efsDriver],
  ...inTrees.map(({ driver }) => driver),
])
/** Names that people write for another one. */
export const misspelt: { readonly [name: string]: string } = { 'gcs.csi.storage.gke.io': gcsDriver }

/** An attribute, whatever the case of its name: the drivers do not mind. */
export function attribute({ attributes }: Pick<Volume, 'attributes'>, name: string): string | undefined {
  const wanted = name.toLowerCase()
  for (const key in attributes) if (key.toLowerCase() === wanted) return attributes[key]
  return undefined
}

const texts = (json: Json | undefined, ...path: readonly string[]): readonly string[] =>
  listAt(json, ...path).filter((one) => typeof one === 'string')

export function readPersistentVolume(json: Json): Volume | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const spec = at(json, 'spec')
  const inTree = inTrees.find(({ source }) => isObject(at(spec, source)))
  const claim = textAt(spec, 'claimRef', 'name')
  const secret =
    textAt(spec, 'csi', 'nodeStageSecretRef', 'name') ?? textAt(spec, 'csi', 'nodePublishSecretRef', 'name')
  const handle = textAt(spec, 'csi', 'volumeHandle')
  return {
    id: `PersistentVolume ${name}`,
    kind: 'PersistentVolume',
    name,
    driver: textAt(spec, 'csi', 'driver'),
    attributes: attributesOf(at(spec, 'csi', 'volumeAttributes')),
    mountOptions: texts(spec, 'mountOptions'),
    path: 'spec.csi.volumeAttributes',
    ...(handle === undefined ? {} : { handle }),
    ...(secret === undefined ? {} : { secret }),
    ...(inTree === undefined ? {} : { inTree }),
    ...(claim === undefined
      ? {}
      : { claim: { namespace: textAt(spec, 'claimRef', 'namespace') ?? 'default', name: claim } }),
  }
}

export function readStorageClass(json: Json): Volume | undefined {
  const name = textAt(json, 'metadata', 'name')
  const provisioner = textAt(json, 'provisioner')
  if (name === undefined || provisioner === undefined) return undefined
  const inTree = inTrees.find((one) => one.provisioner === provisioner)
  return {
    id: `StorageClass ${name}`,
    kind: 'StorageClass',
    name,
    driver: inTree === undefined ? provisioner : undefined,
    attributes: attributesOf(at(json, 'parameters')),
    mountOptions: texts(json, 'mountOptions'),
    path: 'parameters',
    ...(inTree === undefined ? {} : { inTree }),
  }
}

/** The volumes of CSI drivers, and of Kubernetes' own kinds, that stand in the pod itself. */
export function inlineVolumes(pod: string, { volumes }: PodStorage): readonly Volume[] {
  return volumes.flatMap((one) => {
    const inTree = inTrees.find(({ source }) => source === one.type)
    if (one.driver === undefined && inTree === undefined) return []
    return [
      {
        id: `volume ${one.name} of ${pod}`,
        kind: 'Pod',
        name: one.name,
        driver: one.driver,
        attributes: one.attributes,
        mountOptions: (attribute(one, 'mountOptions') ?? '').split(',').filter((option) => option !== ''),
        path: `spec.volumes["${one.name}"].csi.volumeAttributes`,
        ...(one.secret === undefined ? {} : { secret: one.secret }),
        ...(inTree === undefined ? {} : { inTree }),
      } satisfies Volume,
    ]
  })
}

export type Claim = {
  readonly namespace: string
  readonly name: string
  readonly storageClass?: string
  readonly volume?: string
  readonly provisioner?: string
  readonly phase?: string
}

export function readClaim(json: Json): Claim | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const annotation = (key: string) => textAt(json, 'metadata', 'annotations', key)
  const optional = {
    storageClass: textAt(json, 'spec', 'storageClassName') ?? annotation('volume.beta.kubernetes.io/storage-class'),
    volume: textAt(json, 'spec', 'volumeName'),
    provisioner:
      annotation('volume.kubernetes.io/storage-provisioner') ??
      annotation('volume.beta.kubernetes.io/storage-provisioner'),
    phase: textAt(json, 'status', 'phase'),
  }
  const draft: { [key: string]: string } = {}
  for (const [key, value] of Object.entries(optional)) if (value !== undefined) draft[key] = value
  return { namespace: textAt(json, 'metadata', 'namespace') ?? 'default', name, ...draft }
}

export type CsiDriver = {
  readonly name: string
  readonly audiences: readonly string[]
  readonly republish: boolean | undefined
  readonly podInfo: boolean | undefined
}

export function readCsiDriver(json: Json): CsiDriver | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const flag = (member: string): boolean | undefined => {
    const value = at(json, 'spec', member)
    return typeof value === 'boolean' ? value : undefined
  }
  return {
    name,
    // An empty audience is that of the API server.
    audiences: listAt(json, 'spec', 'tokenRequests').map((one) => textAt(one, 'audience') ?? ''),
    republish: flag('requiresRepublish'),
    podInfo: flag('podInfoOnMount'),
  }
}

/** Whether a volume is to be mounted with the token of the pod, and for which audience; undefined where it is not, or nobody knows. */
export function podAudience(volume: Volume): string | undefined {
  if ((volume.driver === blobDriver || volume.driver === filesDriver) && attribute(volume, 'clientID'))
    return 'api://AzureADTokenExchange'
  if (volume.driver === s3Driver && attribute(volume, 'authenticationSource') === 'pod') return 'sts.amazonaws.com'
  return undefined
}
