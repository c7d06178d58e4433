/** What is kept of the objects of further kinds that are judged: a line for each kind. */
import { isObject } from '../core/json.ts'
import { keep, type Pick, part, parts, specOf } from './kubernetes-pick.ts'
import { pickAttributes } from './storage-attributes.ts'

/** Sources of volumes that Kubernetes itself once knew how to mount. */
const inTreeVolumes = [
  'awsElasticBlockStore',
  'gcePersistentDisk',
  'cinder',
  'azureDisk',
  'azureFile',
  'vsphereVolume',
  'portworxVolume',
]

/** Identities of Cluster API Provider AWS, as they were written: a misspelt key may stand beside the spec. */
const identity: Pick = (from, draft) => {
  if (from.spec !== undefined) draft.spec = from.spec
  for (const [key, value] of Object.entries(from)) if (/^sourceidentityref$/i.test(key)) draft[key] = value
}

/** What uses such an identity. */
const withIdentity: Pick = (from, draft) => {
  specOf('identityRef', 'region')(from, draft)
  if (isObject(from.status))
    draft.status = {
      conditions: parts(from.status.conditions, ['type', 'status', 'reason', 'message', 'lastTransitionTime']),
    }
}

/** Of a store of external-secrets only who asks Azure Key Vault, and as whom. */
const secretStore: Pick = ({ spec }, draft) => {
  const provider = isObject(spec) ? spec.provider : undefined
  const vault = isObject(provider) ? provider.azurekv : undefined
  if (vault !== undefined)
    draft.spec = {
      provider: { azurekv: part(vault, ['authType', 'identityId', 'tenantId', 'vaultUrl', 'serviceAccountRef']) },
    }
}

export const furtherPicks: { readonly [kind: string]: Pick } = {
  StorageClass: (from, draft) => {
    keep(from, ['provisioner', 'mountOptions'], draft)
    if (from.parameters !== undefined) draft.parameters = pickAttributes(from.parameters)
  },
  PersistentVolumeClaim: (from, draft) => {
    specOf('storageClassName', 'volumeName')(from, draft)
    if (isObject(from.status)) draft.status = part(from.status, ['phase'])
  },
  CSINode: ({ spec }, draft) => {
    draft.spec = { drivers: parts(isObject(spec) ? spec.drivers : undefined, ['name']) }
  },
  PersistentVolume: (from, draft) => {
    specOf('csi', 'storageClassName', 'claimRef', 'mountOptions', 'capacity', ...inTreeVolumes)(from, draft)
    const { csi } = isObject(from.spec) ? from.spec : {}
    // Attributes of a driver that nobody knows may hold anything.
    if (isObject(csi) && csi.volumeAttributes !== undefined && isObject(draft.spec))
      draft.spec = { ...draft.spec, csi: { ...csi, volumeAttributes: pickAttributes(csi.volumeAttributes) } }
  },
  CustomResourceDefinition: ({ spec }, draft) => {
    draft.spec = {
      ...part(spec, ['group']),
      ...(isObject(spec) ? { names: part(spec.names, ['kind', 'plural']) } : {}),
      ...(isObject(spec) ? { versions: parts(spec.versions, ['name', 'served', 'storage']) } : {}),
    }
  },
  AWSClusterControllerIdentity: identity,
  AWSClusterRoleIdentity: identity,
  AWSClusterStaticIdentity: identity,
  AWSCluster: withIdentity,
  AWSManagedControlPlane: withIdentity,
  ROSARoleConfig: withIdentity,
  SecretProviderClass: ({ spec }, draft) => {
    if (!isObject(spec)) return
    draft.spec = {
      ...keep(spec, ['provider']),
      parameters: part(spec.parameters, [
        'clientID',
        'tenantId',
        'tenantID',
        'usePodIdentity',
        'useVMManagedIdentity',
        'userAssignedIdentityID',
        'keyvaultName',
        'cloudName',
      ]),
    }
  },
  TriggerAuthentication: ({ spec }, draft) => {
    if (isObject(spec))
      draft.spec = { podIdentity: part(spec.podIdentity, ['provider', 'identityId', 'identityOwner']) }
  },
  ClusterTriggerAuthentication: ({ spec }, draft) => {
    if (isObject(spec))
      draft.spec = { podIdentity: part(spec.podIdentity, ['provider', 'identityId', 'identityOwner']) }
  },
  SecretStore: secretStore,
  ClusterSecretStore: secretStore,
}
