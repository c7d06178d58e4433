/** The volumes that a subject is, or has in itself; absent where it has none of a driver that is known. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { inlineVolumes, readPersistentVolume, readStorageClass, type Volume } from '../../domain/storage-volumes.ts'
import { readPod } from '../read-once.ts'
import { nothing } from './storage-pod.ts'

const places: { readonly [kind: string]: string } = {
  PersistentVolume: 'persistentvolumes',
  StorageClass: 'storageclasses',
}

export const volumes = defineProbe({
  id: 'storage/volumes',
  about: 'the volume',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<readonly Volume[]>> => {
    const resource = subject.kind === 'Pod' ? 'pods' : places[subject.kind]
    if (resource === undefined) return absent(kubernetes.list('persistentvolumes'))
    return onward(ask(kubernetes.get(resource, subject.namespace, subject.name)), (answer): Fact<readonly Volume[]> => {
      if (answer.state !== 'known') return answer
      const found =
        subject.kind === 'Pod'
          ? podVolumes(readPod(answer.value))
          : [(subject.kind === 'StorageClass' ? readStorageClass : readPersistentVolume)(answer.value)].filter(
              (one) => one !== undefined,
            )
      return found.length === 0 ? nothing : known(found, answer.from)
    })
  },
})

const podVolumes = (pod: ReturnType<typeof readPod>): readonly Volume[] =>
  pod?.storage === undefined ? [] : inlineVolumes(`pod ${pod.name}`, pod.storage)
