/** Which versions of the drivers run, as the images of their DaemonSets tell; asked only for volumes that are judged. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { listAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { versionIn } from './driver-uses.ts'
import { volumes } from './volumes.ts'

/** Absent where the DaemonSet of the volume's driver was not among those that were seen. */
export const driverVersion = defineProbe({
  id: 'storage/driver-version',
  about: 'the version of the driver',
  scope: 'object',
  needs: {},
  wants: { volumes },
  ask: (_have, { volumes }, { ask }): Soon<Fact<string>> => {
    const [volume] = volumes.state === 'known' ? volumes.value : []
    const driver = volume?.driver
    if (driver === undefined) return absent(kubernetes.list('daemonsets', 'kube-system'))
    return onward(ask(kubernetes.list('daemonsets', 'kube-system')), (answer): Fact<string> => {
      if (answer.state !== 'known') return absent(answer.from)
      const seen = versionIn(listAt(answer.value, 'items'), driver)
      return seen === undefined ? absent(answer.from) : known(seen.version, answer.from)
    })
  },
})
