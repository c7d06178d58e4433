/** Whether the volume of the gcsfuse driver can get a token for the pod's ServiceAccount. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { attribute, gcsDriver } from '../../domain/storage-volumes.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { externalCredential } from '../../probes/storage/external-credential.ts'
import { metadataLabel } from '../../probes/storage/metadata-label.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { partOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/gcsfuse-volume-can-authenticate'
const external = 'gke-gcsfuse/workload-identity-credential-configmap'

type Data = Place & {
  readonly pod: string
  readonly account: string
  readonly node: string
  readonly label: string
  readonly reason: string
  readonly volume: string
  readonly configMap: string
  readonly count: number | string
  readonly audience: string
  readonly allowed: string
  readonly missing: string
}

const messages = {
  'node-not-enabled': ({ node, label }: Data) =>
    `${node} has no GKE metadata server (${label}), so the driver refuses the mount`,
  'no-token-in-time': ({ namespace, account, reason }: Data) =>
    `the driver got no token for ${namespace}/${account} in time: ${reason}`,
  'access-check-not-skipped': ({ volume }: Data) => `external mode needs skipCSIBucketAccessCheck "true" on ${volume}`,
  'account-token-not-mounted': ({ pod }: Data) =>
    `${pod} has automountServiceAccountToken false; external mode needs the account's token in the pod`,
  'configmap-shape': ({ configMap, count }: Data) =>
    `ConfigMap ${configMap} has ${count} keys; external mode needs exactly one, the credential configuration`,
  'audience-not-allowed': ({ audience, allowed }: Data) =>
    `the driver asks for audience ${audience}; the provider allows ${allowed}`,
  'host-network-with-external': ({ pod }: Data) => `${pod} is on the host network, which external mode refuses`,
  'host-network-without-provider': ({ pod, missing }: Data) =>
    `${pod} is on the host network; set hostNetworkPodKSA "true" and ${missing}`,
}

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}

export const check = defineCheck({
  meta: {
    id,
    title: "The gcsfuse volume can get a token for the pod's ServiceAccount",
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Storage',
    why: 'The driver asks for the token before the pod starts: what it lacks on the node, in the volume or in the pod keeps the pod from ever running.',
    fix: {
      safety: 'review',
      does: 'Set the volume attribute or the automount flag in the pod template; node pools, ConfigMaps and providers are described only.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/authentication.md',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/oidc_authentication.md',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/issues/56',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod has no volume of the gcsfuse driver' },
  needs: { scene },
  wants: { metadataLabel, externalCredential },
  after: ['storage/csi-driver-receives-tokens', 'storage/gcsfuse-sidecar-is-injected'],
  messages,
  remedies: {
    'node-not-enabled': (data) =>
      advice(
        `Have ${data.workload} run on a node pool with the GKE metadata server, or switch it on for the pool (which makes its nodes anew).`,
        sh`kubectl get nodes -L iam.gke.io/gke-metadata-server-enabled`,
        sh`kubectl get ${data.workload} -n ${data.namespace} -o wide`,
      ),
    'no-token-in-time': (data) =>
      advice(
        `See whether the metadata server of the node answers and whether a Google service account, if ${data.account} is annotated with one, lets it in (roles/iam.workloadIdentityUser).`,
        sh`kubectl get serviceaccount ${data.account} -n ${data.namespace} -o yaml`,
        sh`kubectl get pods -n kube-system -l k8s-app=gke-metadata-server -o wide`,
      ),
    'access-check-not-skipped': (data) =>
      inTemplate(data, `Set volumeAttributes.skipCSIBucketAccessCheck to "true" on ${data.volume}`),
    'account-token-not-mounted': (data) => inTemplate(data, 'Take automountServiceAccountToken: false out'),
    'configmap-shape': (data) =>
      advice(
        `Leave in ConfigMap ${data.configMap} one key only: the credential configuration of type external_account.`,
        sh`kubectl edit configmap ${data.configMap} -n ${data.namespace}`,
      ),
    'audience-not-allowed': (data) =>
      advice(
        `Add ${data.audience} to the allowed audiences of the provider (gcloud iam workload-identity-pools providers update-oidc, --allowed-audiences with those it has).`,
      ),
    'host-network-with-external': (data) => inTemplate(data, 'Take hostNetwork out'),
    'host-network-without-provider': (data) =>
      inTemplate(data, `Set volumeAttributes.hostNetworkPodKSA to "true" and ${data.missing}`),
  },
  judge: ({ have: { scene }, want: { metadataLabel, externalCredential }, subject }) => {
    const none = { status: 'not-applicable', reason: 'the pod has no volume of the gcsfuse driver' } as const
    if (scene.state === 'absent') return none
    const { pod, volumes, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const [volume] = volumes.filter(({ driver }) => driver === gcsDriver)
    const configMap = pod?.annotations[external]
    const label = metadataLabel.state === 'known' ? metadataLabel.value : undefined
    const credential = externalCredential.state === 'known' ? externalCredential.value : undefined
    const evidence: Evidence[] = said.map(({ error }) => ofError(error))
    if (pod !== undefined && volume !== undefined)
      evidence.push(
        { question: scene.from, path: `metadata.annotations["${external}"]`, observed: configMap ?? 'not set' },
        { question: scene.from, path: volume.path, observed: volume.attributes },
        { question: scene.from, path: 'spec.hostNetwork', observed: pod.hostNetwork },
      )
    const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{ ...place, pod: pod === undefined ? 'the pod' : `${pod.kind} ${pod.name}` },
        account: pod?.serviceAccount ?? 'SERVICEACCOUNT',
        node: pod?.node === undefined ? 'the node of the pod' : `node ${pod.node}`,
        ...{ label: 'as the driver says', reason: 'as the driver says', volume: volume?.id ?? 'the volume' },
        ...{
          configMap: configMap ?? 'of the pod',
          count: 'several',
          audience: '',
          allowed: '',
          missing: 'identityProvider',
          ...more,
        },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    if (label !== undefined && label !== 'true')
      return failing('node-not-enabled', {
        label: `label iam.gke.io/gke-metadata-server-enabled ${label === '' ? 'not set' : `is ${label}`}`,
      })
    const disabled = provedBy(said, 'node-not-enabled')
    if (disabled !== undefined && label === undefined)
      return failing('node-not-enabled', {
        node: `node ${partOf(disabled.text, /not enabled on node "?([\w.-]{1,200})/, pod?.node ?? 'of the pod')}`,
      })
    const late = provedBy(said, 'no-token-in-time')
    if (late !== undefined)
      return failing('no-token-in-time', {
        reason: partOf(
          late.text,
          /(timed out waiting for the condition|context deadline exceeded|Received 504|rpc error: .{1,120})$/,
          'the text does not say why',
        ),
      })
    if (pod !== undefined && volume !== undefined && configMap !== undefined) {
      if (attribute(volume, 'skipCSIBucketAccessCheck') !== 'true') return failing('access-check-not-skipped')
      if (pod.storage?.automount === false) return failing('account-token-not-mounted')
      if (credential !== undefined && credential.keys !== 1)
        return failing('configmap-shape', { count: credential.keys })
      if (credential?.refused !== undefined) return failing('audience-not-allowed', credential.refused)
      if (pod.hostNetwork) return failing('host-network-with-external')
    }
    if (provedBy(said, 'account-token-not-mounted') !== undefined) return failing('account-token-not-mounted')
    const lacksProvider = provedBy(said, 'host-network-without-provider') !== undefined
    const ksa = volume === undefined ? undefined : attribute(volume, 'hostNetworkPodKSA')
    if (
      lacksProvider ||
      (pod?.hostNetwork === true && volume !== undefined && configMap === undefined && ksa !== 'true')
    )
      return failing('host-network-without-provider', {
        missing: 'identityProvider, which drivers that were not installed by GKE need too',
      })
    if (volume === undefined || pod === undefined) return none
    if (said.length > 0) return { status: 'undecided', lacks: 'whether what the driver said still holds', evidence }
    return { status: 'pass', evidence }
  },
})
