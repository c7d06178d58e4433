/** Which volumes have the handle of this one; asked only of drivers that mount by it. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readPersistentVolume, s3Driver } from '../../domain/storage-volumes.ts'
import { listed } from '../lists.ts'
import { volumes } from './volumes.ts'

export const sameHandles = defineProbe({
  id: 'storage/same-handles',
  about: 'other volumes with the same handle',
  scope: 'object',
  needs: {},
  wants: { volumes },
  ask: (_have, { volumes }, { ask }): Soon<Fact<{ readonly names: readonly string[]; readonly complete: boolean }>> => {
    const question = kubernetes.list('persistentvolumes')
    const [volume] = volumes.state === 'known' ? volumes.value : []
    if (volume?.kind !== 'PersistentVolume' || volume.driver !== s3Driver || volume.handle === undefined)
      return absent(question)
    return onward(ask(question), (answer): Fact<{ readonly names: readonly string[]; readonly complete: boolean }> => {
      const all = listed(answer, readPersistentVolume)
      if (all.state !== 'known') return all
      const same = all.value.items.filter(({ driver, handle }) => driver === s3Driver && handle === volume.handle)
      return known({ names: same.map(({ name }) => name).sort(), complete: all.value.complete }, all.from)
    })
  },
})
