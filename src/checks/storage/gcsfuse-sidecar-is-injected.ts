/** Whether a pod with a volume of the gcsfuse driver has the sidecar that mounts it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { gcsDriver } from '../../domain/storage-volumes.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { ownerAnnotation } from '../../probes/storage/owner-annotation.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { containersOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/gcsfuse-sidecar-is-injected'
const annotation = 'gke-gcsfuse/volumes'
const sidecar = 'gke-gcsfuse-sidecar'

type Data = Place & { readonly pod: string; readonly owner: string }

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}
const listWebhooks = 'kubectl get mutatingwebhookconfigurations'

const messages = {
  'annotation-on-the-owner': ({ owner }: Data) => `annotation ${annotation} is on ${owner} and not on its pod template`,
  'annotation-missing': ({ pod }: Data) =>
    `${pod} mounts a gcsfuse volume without annotation ${annotation}: "true", so no sidecar was added`,
  'sidecar-stripped': ({ pod }: Data) =>
    `the sidecar of ${pod} lost restartPolicy Always to another webhook; the pod stays in PodInitializing`,
  'webhook-failed': ({ pod }: Data) =>
    `${pod} has the annotation and no sidecar: the gcsfuse webhook did not run, or another one removed it`,
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The gcsfuse sidecar is in the pod',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Storage',
    why: 'The driver hands the mount to a sidecar that its webhook adds only to pods with the annotation; without it the volume never mounts.',
    fix: { safety: 'review', does: 'Add the annotation to the pod template, which rolls the workload out.' },
    links: [
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/issues/322',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod has no volume of the gcsfuse driver' },
  needs: { scene },
  wants: { ownerAnnotation },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'annotation-on-the-owner': (data) =>
      inTemplate(data, `Move annotation ${annotation} from ${data.owner} to the metadata`),
    'annotation-missing': (data) => inTemplate(data, `Add annotation ${annotation}: "true" to the metadata`),
    'sidecar-stripped': (data) =>
      advice(
        `Bring the webhook that rewrites ${data.pod} to a version built against Kubernetes 1.28 or later, or set annotation gke-gcsfuse/enable-native-sidecar: "false" in its template.`,
        listWebhooks,
      ),
    'webhook-failed': (data) =>
      advice(
        `See that the webhook of the gcsfuse driver is there and answers (the first command), and that no other one takes its sidecar out; then make ${data.pod} anew.`,
        listWebhooks,
        sh`kubectl get pods -n kube-system -l k8s-app=gcs-fuse-csi-driver`,
      ),
  },
  judge: ({ have: { scene }, want: { ownerAnnotation }, subject }) => {
    const none = { status: 'not-applicable', reason: 'the pod has no volume of the gcsfuse driver' } as const
    if (scene.state === 'absent') return none
    const { pod, volumes, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const owner = ownerAnnotation.state === 'known' ? ownerAnnotation.value : undefined
    const data: Data = {
      ...place,
      pod: pod === undefined ? 'the pod' : `${pod.kind} ${pod.name}`,
      owner: owner ?? 'its owner',
    }
    const value = pod?.annotations[annotation]
    const containers = containersOf(scene.value).filter(({ name }) => name === sidecar)
    const evidence: Evidence[] = [
      ...said.map(({ error }) => ofError(error)),
      {
        question: scene.from,
        path: `metadata.annotations["${annotation}"]`,
        observed: value ?? 'not set',
        expected: 'true',
      },
    ]
    const failing = (message: keyof typeof messages) => ({ status: 'fail', message, data, evidence }) as const
    const uses = volumes.some(({ driver }) => driver === gcsDriver)
    if (pod !== undefined && uses) {
      const asked = value === 'true' || value === 'True'
      if (!asked && containers.length === 0) {
        if (owner !== undefined) return failing('annotation-on-the-owner')
        return failing('annotation-missing')
      }
      const [one] = containers
      if (one?.role === 'init') return failing('sidecar-stripped')
      if (one !== undefined) return { status: 'pass', evidence }
      if (pod.uid !== undefined) return failing('webhook-failed')
      return {
        status: 'undecided',
        lacks: 'whether the webhook adds the sidecar to the pods of this manifest',
        evidence,
      }
    }
    if (provedBy(said, 'annotation-missing') !== undefined) return failing('annotation-missing')
    if (provedBy(said, 'webhook-failed') !== undefined) return failing('webhook-failed')
    return none
  },
})
