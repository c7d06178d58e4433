/** Which fields of Kubernetes' protobuf messages are read, by number: those that the picks keep, under their JSON names. */

import type { JsonObject } from '../../core/json.ts'
import { pickOwner } from '../../domain/kubernetes-objects.ts'
import { pickMount, pickProjected } from '../../domain/kubernetes-pod-spec.ts'
import { pickReference, pickVariable } from '../../domain/kubernetes-variables.ts'

type Pick = (from: JsonObject) => JsonObject

/**
 * `bare` stands where the JSON form has the member even when it is empty (no omitempty) or where only a pointer that is set
 * is sent (so that 0 and false are values); without it an empty text and a false are left out, as in JSON.
 * `shared`: many objects have the same, so equal bytes give the same value, with its picks taken.
 */
export type Field = { readonly name: string; readonly list?: true; readonly bare?: true; readonly shared?: true } & (
  | { readonly kind: 'text' | 'flag' | 'number' | 'time' | 'texts' | 'quantities' | 'fields' }
  | { readonly kind: 'message' | 'inline'; readonly fields: Fields; readonly pick?: Pick }
)

/** By field number. Numbers that are not here are skipped. */
export type Fields = readonly (Field | undefined)[]

/** https://github.com/kubernetes/api/blob/master/core/v1/generated.proto and apimachinery's meta/v1/generated.proto */
const numbered = (fields: { readonly [number: number]: Field }): Fields => {
  const numbers = Object.keys(fields).map(Number)
  return Array.from({ length: Math.max(0, ...numbers) + 1 }, (_, number) => fields[number])
}

const bare = { bare: true } as const
const shared = { shared: true } as const
const list = { list: true } as const
const text = (name: string): Field => ({ name, kind: 'text' })
const sharedText = (name: string): Field => ({ name, kind: 'text', ...shared })
const setText = (name: string): Field => ({ name, kind: 'text', ...bare, ...shared })
const flag = (name: string): Field => ({ name, kind: 'flag' })
const setFlag = (name: string): Field => ({ name, kind: 'flag', ...bare })
const number = (name: string): Field => ({ name, kind: 'number', ...bare })
const message = (name: string, fields: Fields): Field => ({ name, kind: 'message', fields })
const asItIs: Pick = (from) => from
const sharedMessage = (name: string, fields: Fields, pick = asItIs): Field => ({
  ...{ name, kind: 'message', fields, pick },
  ...shared,
})
const messages = (name: string, fields: Fields): Field => ({ name, kind: 'message', fields, ...list })
const sharedMessages = (name: string, fields: Fields, pick = asItIs): Field => ({
  ...{ name, kind: 'message', fields, pick },
  ...list,
  ...shared,
})
const inline = (fields: Fields): Field => ({ name: '', kind: 'inline', fields })
const words = (name: string): Field => ({ name, kind: 'text', ...list, ...bare, ...shared })
const none: Fields = []

const ownerReference = numbered({
  1: setText('kind'),
  3: setText('name'),
  4: setText('uid'),
  6: setFlag('controller'),
})

const managedFields = numbered({
  1: sharedText('manager'),
  2: sharedText('operation'),
  4: { name: 'time', kind: 'time', ...shared },
  7: { name: 'fieldsV1', kind: 'fields' },
})

const objectMeta = numbered({
  1: text('name'),
  2: sharedText('generateName'),
  3: sharedText('namespace'),
  5: text('uid'),
  8: { name: 'creationTimestamp', kind: 'time', ...shared },
  9: { name: 'deletionTimestamp', kind: 'time', ...shared },
  11: { name: 'labels', kind: 'texts', ...shared },
  12: { name: 'annotations', kind: 'texts', ...shared },
  13: sharedMessages('ownerReferences', ownerReference, pickOwner),
  17: messages('managedFields', managedFields),
})

const localName = numbered({ 1: sharedText('name') })

const serviceAccount = numbered({
  1: message('metadata', objectMeta),
  2: messages('secrets', numbered({ 3: sharedText('name') })),
  3: sharedMessages('imagePullSecrets', localName),
  4: setFlag('automountServiceAccountToken'),
})

/** A name that is inlined, and whether what it names may be missing. */
const named = (optional: number): Fields => numbered({ 1: inline(localName), [optional]: setFlag('optional') })
const keyed = numbered({ 1: inline(localName), 2: setText('key'), 3: setFlag('optional') })

const envVarSource = numbered({
  1: message('fieldRef', numbered({ 2: setText('fieldPath') })),
  2: message('resourceFieldRef', numbered({ 2: setText('resource') })),
  3: message('configMapKeyRef', keyed),
  4: message('secretKeyRef', keyed),
})

const envVar = numbered({ 1: setText('name'), 2: sharedText('value'), 3: message('valueFrom', envVarSource) })

const envFromSource = numbered({
  1: sharedText('prefix'),
  2: message('configMapRef', named(2)),
  3: message('secretRef', named(2)),
})

const volumeMount = numbered({
  1: setText('name'),
  2: flag('readOnly'),
  3: setText('mountPath'),
  4: sharedText('subPath'),
  5: sharedText('mountPropagation'),
  6: sharedText('subPathExpr'),
})

const profile = numbered({ 1: setText('type') })

const securityContext = numbered({
  1: message('capabilities', numbered({ 1: words('add'), 2: words('drop') })),
  2: setFlag('privileged'),
  4: number('runAsUser'),
  7: setFlag('allowPrivilegeEscalation'),
  8: number('runAsGroup'),
  11: message('seccompProfile', profile),
  12: message('appArmorProfile', profile),
})

const resources = numbered({
  1: { name: 'limits', kind: 'quantities' },
  2: { name: 'requests', kind: 'quantities' },
  3: messages('claims', numbered({ 1: setText('name') })),
})

/** The same numbers in a Container and in an EphemeralContainerCommon. */
const container = numbered({
  1: setText('name'),
  2: sharedText('image'),
  3: words('command'),
  4: words('args'),
  7: sharedMessages('env', envVar, pickVariable),
  8: sharedMessage('resources', resources),
  9: sharedMessages('volumeMounts', volumeMount, pickMount),
  15: sharedMessage('securityContext', securityContext),
  19: sharedMessages('envFrom', envFromSource, pickReference),
  24: setText('restartPolicy'),
})

const projection = numbered({
  1: message('secret', named(4)),
  2: message('downwardAPI', none),
  3: message('configMap', named(4)),
  4: message(
    'serviceAccountToken',
    numbered({ 1: sharedText('audience'), 2: number('expirationSeconds'), 3: setText('path') }),
  ),
  5: message('clusterTrustBundle', numbered({ 1: setText('name'), 5: setFlag('optional') })),
  6: message('podCertificate', none),
})

const readOnly = (at: number, more: { readonly [number: number]: Field } = {}): Fields =>
  numbered({ ...more, [at]: flag('readOnly') })

/** One of these is set; each must be known by name, since a volume without a source is an emptyDir. */
const volumeSource = numbered({
  1: sharedMessage('hostPath', numbered({ 1: setText('path'), 2: setText('type') })),
  2: sharedMessage('emptyDir', numbered({ 1: sharedText('medium') })),
  3: message('gcePersistentDisk', readOnly(4)),
  4: message('awsElasticBlockStore', readOnly(4)),
  5: message('gitRepo', none),
  6: sharedMessage('secret', numbered({ 1: sharedText('secretName'), 4: setFlag('optional') })),
  7: sharedMessage('nfs', readOnly(3, { 2: setText('path') })),
  8: message('iscsi', readOnly(6)),
  9: message('glusterfs', readOnly(3, { 2: setText('path') })),
  10: message('persistentVolumeClaim', readOnly(2, { 1: setText('claimName') })),
  11: message('rbd', readOnly(8)),
  12: message('flexVolume', readOnly(4, { 1: setText('driver') })),
  13: message('cinder', readOnly(3)),
  14: message('cephfs', readOnly(6, { 2: sharedText('path') })),
  15: message('flocker', none),
  16: message('downwardAPI', none),
  17: message('fc', readOnly(4)),
  18: message('azureFile', readOnly(3, { 1: setText('secretName') })),
  19: sharedMessage('configMap', named(4)),
  20: message('vsphereVolume', none),
  21: message('quobyte', readOnly(3)),
  22: message('azureDisk', numbered({ 5: setFlag('readOnly') })),
  23: message('photonPersistentDisk', none),
  24: message('portworxVolume', readOnly(3)),
  25: message('scaleIO', readOnly(10)),
  26: sharedMessage(
    'projected',
    numbered({ 1: messages('sources', projection), 2: number('defaultMode') }),
    pickProjected,
  ),
  27: message('storageos', readOnly(4)),
  28: message(
    'csi',
    numbered({ 1: setText('driver'), 2: setFlag('readOnly'), 4: { name: 'volumeAttributes', kind: 'texts' } }),
  ),
  29: message('ephemeral', readOnly(2)),
  30: message('image', none),
})

const requirement = numbered({ 1: setText('key'), 2: setText('operator'), 3: words('values') })
const nodeSelectorTerm = numbered({
  1: messages('matchExpressions', requirement),
  2: messages('matchFields', requirement),
})
const nodeAffinity = numbered({
  1: message(
    'requiredDuringSchedulingIgnoredDuringExecution',
    numbered({ 1: messages('nodeSelectorTerms', nodeSelectorTerm) }),
  ),
  2: messages(
    'preferredDuringSchedulingIgnoredDuringExecution',
    numbered({ 1: number('weight'), 2: message('preference', nodeSelectorTerm) }),
  ),
})

const toleration = numbered({
  1: sharedText('key'),
  2: sharedText('operator'),
  3: sharedText('value'),
  4: sharedText('effect'),
  5: number('tolerationSeconds'),
})

const podSecurityContext = numbered({
  2: number('runAsUser'),
  4: { ...number('supplementalGroups'), ...list },
  5: number('fsGroup'),
  6: number('runAsGroup'),
  10: message('seccompProfile', profile),
  11: message('appArmorProfile', profile),
})

const podSpec = numbered({
  1: messages('volumes', numbered({ 1: setText('name'), 2: inline(volumeSource) })),
  2: messages('containers', container),
  7: { name: 'nodeSelector', kind: 'texts', ...shared },
  8: sharedText('serviceAccountName'),
  9: sharedText('serviceAccount'),
  10: sharedText('nodeName'),
  11: flag('hostNetwork'),
  14: sharedMessage('securityContext', podSecurityContext),
  15: sharedMessages('imagePullSecrets', localName),
  18: sharedMessage('affinity', numbered({ 1: message('nodeAffinity', nodeAffinity) })),
  20: messages('initContainers', container),
  21: setFlag('automountServiceAccountToken'),
  22: sharedMessages('tolerations', toleration),
  37: setFlag('hostUsers'),
  38: messages('schedulingGates', numbered({ 1: setText('name') })),
  34: messages('ephemeralContainers', numbered({ 1: inline(container), 2: sharedText('targetContainerName') })),
})

const containerState = numbered({ 3: message('terminated', numbered({ 3: sharedText('reason') })) })

const podStatus = numbered({
  1: sharedText('phase'),
  8: messages(
    'containerStatuses',
    numbered({
      1: setText('name'),
      2: message('state', containerState),
      3: message('lastState', containerState),
      4: setFlag('ready'),
      5: number('restartCount'),
    }),
  ),
  // Sidecars are init containers that go on.
  10: messages('initContainerStatuses', numbered({ 1: setText('name'), 4: setFlag('ready') })),
})

const pod = numbered({
  1: message('metadata', objectMeta),
  2: message('spec', podSpec),
  3: message('status', podStatus),
})

/** Kinds that a large cluster has thousands of. What a pick keeps of them needs its number here, or it is seen in documents only. */
export const messagesOf: { readonly [resource: string]: { readonly kind: string; readonly fields: Fields } } = {
  serviceaccounts: { kind: 'ServiceAccount', fields: serviceAccount },
  pods: { kind: 'Pod', fields: pod },
}

/** metav1.Status, what an API server says where it gives no object. */
export const status = numbered({ 2: text('status'), 3: text('message'), 4: text('reason'), 6: number('code') })
