/** The commands that go with advice about a volume which has to be made anew. */
import { sh } from './shell-words.ts'

/** `volume` as messages name it: `PersistentVolume pv-blob`, `StorageClass blob`, `volume data of pod cart-0`. The data stays where it is: only what names it is made anew. */
export function seeVolume(volume: string): readonly string[] {
  const [, kind = '', name = ''] = /^(PersistentVolume|StorageClass) ([a-z0-9][a-z0-9.-]{0,252})$/.exec(volume) ?? []
  if (kind === 'StorageClass') return [sh`kubectl get storageclass ${name} -o yaml`]
  if (kind === 'PersistentVolume')
    return [
      sh`kubectl get persistentvolume ${name} -o yaml`,
      sh`kubectl patch persistentvolume ${name} -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`,
    ]
  return ['kubectl get persistentvolumes,storageclasses']
}
