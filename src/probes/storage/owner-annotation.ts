/** The workload that carries the annotation for gcsfuse in the place of its template; asked only where a pod lacks it. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { gcsDriver } from '../../domain/storage-volumes.ts'
import { workloadOf } from '../workload/namesakes.ts'
import { scene } from './scene.ts'

const annotation = 'gke-gcsfuse/volumes'
const resources: { readonly [kind: string]: string } = {
  deployment: 'deployments',
  statefulset: 'statefulsets',
  daemonset: 'daemonsets',
  job: 'jobs',
  cronjob: 'cronjobs',
}

export const ownerAnnotation = defineProbe({
  id: 'storage/owner-annotation',
  about: 'the workload that carries the annotation for gcsfuse',
  scope: 'pod',
  needs: {},
  wants: { scene },
  ask: async (_have, { scene }, { ask }): Promise<Fact<string>> => {
    const pod = scene.state === 'known' ? scene.value.pod : undefined
    const volumes = scene.state === 'known' ? scene.value.volumes : []
    if (pod === undefined || pod.annotations[annotation] !== undefined) return absent(scene.from)
    if (!volumes.some(({ driver }) => driver === gcsDriver)) return absent(scene.from)
    const workload = workloadOf(pod)
    const [kind = '', name = ''] = workload.split('/')
    const resource = resources[kind]
    if (resource === undefined) return absent(scene.from)
    const answer = await ask(kubernetes.list(resource, pod.namespace))
    // That it is missing is known without.
    if (answer.state !== 'known') return absent(answer.from)
    const owner = listAt(answer.value, 'items').find((one) => textAt(one, 'metadata', 'name') === name)
    const value = textAt(owner, 'metadata', 'annotations', annotation)
    return value === undefined ? absent(answer.from) : known(workload, answer.from)
  },
})
