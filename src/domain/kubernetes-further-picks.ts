/** What is kept of the objects of further kinds that are judged: a line for each kind. */
import { isObject } from '../core/json.ts'
import { keep, members, type Pick, part, parts, specOf } from './kubernetes-pick.ts'

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

export const furtherPicks: { readonly [kind: string]: Pick } = {
  StorageClass: (from, draft) => {
    keep(from, ['provisioner', 'parameters', 'mountOptions'], draft)
  },
  PersistentVolume: specOf('csi', 'storageClassName', 'claimRef', 'mountOptions', 'capacity', ...inTreeVolumes),
  CustomResourceDefinition: ({ spec }, draft) => {
    draft.spec = {
      ...part(spec, ['group']),
      ...(isObject(spec) ? { names: part(spec.names, ['kind', 'plural']) } : {}),
      ...(isObject(spec) ? { versions: parts(spec.versions, ['name', 'served', 'storage']) } : {}),
    }
  },
  Ingress: (from, draft) => {
    specOf('ingressClassName', 'rules', 'tls', 'defaultBackend')(from, draft)
  },
  CertificateSigningRequest: ({ spec, status }, draft) => {
    draft.spec = part(spec, ['signerName', 'username'])
    if (isObject(status)) draft.status = { conditions: parts(status.conditions, ['type', 'status']) }
  },
  ClusterRole: members('rules'),
  AWSClusterControllerIdentity: identity,
  AWSClusterRoleIdentity: identity,
  AWSClusterStaticIdentity: identity,
  AWSCluster: withIdentity,
  AWSManagedControlPlane: withIdentity,
}
