/** The resource by which a device plugin of the nodes hands out /dev/fuse; absent where no node offers one, or several do under different names. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, isObject } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { storagePod } from './storage-pod.ts'

export const fuseResource = defineProbe({
  id: 'storage/fuse-resource',
  about: 'the resource by which the nodes offer /dev/fuse',
  scope: 'pod',
  needs: {},
  wants: { storagePod },
  ask: (_have, { storagePod }, { ask }): Soon<Fact<string>> => {
    if (storagePod.state !== 'known') return absent(storagePod.from)
    return onward(ask(kubernetes.list('nodes')), (answer): Fact<string> => {
      const nodes = listed(answer, (one) => {
        const allocatable = at(one, 'status', 'allocatable')
        return isObject(allocatable) ? Object.keys(allocatable).filter((name) => name.endsWith('/fuse')) : []
      })
      if (nodes.state !== 'known') return nodes
      const names = [...new Set(nodes.value.items.flat())]
      const [only] = names
      return only === undefined || names.length > 1 ? absent(answer.from) : known(only, answer.from)
    })
  },
})
