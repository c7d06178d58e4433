/** Whether the node of a pod with a gcsfuse volume says that it has a GKE metadata server; absent where the driver does not look. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { gcsDriver } from '../../domain/storage-volumes.ts'
import { scene } from './scene.ts'

/** The value of the label; empty where the node has none. */
export const metadataLabel = defineProbe({
  id: 'storage/metadata-label',
  about: 'whether the node has a GKE metadata server',
  scope: 'pod',
  needs: {},
  wants: { scene },
  ask: (_have, { scene }, { ask }): Soon<Fact<string>> => {
    if (scene.state !== 'known') return absent(scene.from)
    const { pod, volumes } = scene.value
    const external = pod?.annotations['gke-gcsfuse/workload-identity-credential-configmap'] !== undefined
    if (pod?.node === undefined || pod.hostNetwork || external || !volumes.some(({ driver }) => driver === gcsDriver))
      return absent(scene.from)
    return onward(ask(kubernetes.get('nodes', undefined, pod.node)), (answer): Fact<string> => {
      if (answer.state !== 'known') return answer
      return known(
        textAt(answer.value, 'metadata', 'labels', 'iam.gke.io/gke-metadata-server-enabled') ?? '',
        answer.from,
      )
    })
  },
})
