/** The drivers that mount with a token of the pod, and the audiences that each declares; asked only where the pod has such volumes. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { podAudience, readCsiDriver } from '../../domain/storage-volumes.ts'
import { listed } from '../lists.ts'
import { scene } from './scene.ts'

export type DriverOfPod = { readonly driver: string; readonly audience: string; readonly declared: readonly string[] }

export const driversOfPod = defineProbe({
  id: 'storage/drivers-of-pod',
  about: 'the audiences that the drivers of the pod declare',
  scope: 'pod',
  needs: {},
  wants: { scene },
  ask: (_have, { scene }, { ask }): Soon<Fact<readonly DriverOfPod[]>> => {
    const volumes = scene.state === 'known' ? scene.value.volumes : []
    const needed = volumes.flatMap((volume) => {
      const audience = podAudience(volume)
      return audience === undefined || volume.driver === undefined ? [] : [{ driver: volume.driver, audience }]
    })
    if (needed.length === 0) return absent(scene.from)
    return onward(ask(kubernetes.list('csidrivers')), (answer): Fact<readonly DriverOfPod[]> => {
      const drivers = listed(answer, readCsiDriver)
      if (drivers.state !== 'known') return drivers
      const seen = needed.flatMap(({ driver, audience }) => {
        const one = drivers.value.items.find(({ name }) => name === driver)
        return one === undefined ? [] : [{ driver, audience, declared: one.audiences }]
      })
      return seen.length === 0 ? absent(drivers.from) : known(seen, drivers.from)
    })
  },
})
