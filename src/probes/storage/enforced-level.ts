/** The Pod Security level that the namespace enforces; asked only for what no API server has admitted yet. */
import { absent, defineProbe, type Fact, type Inquiry, known, onward, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { storagePod } from './storage-pod.ts'

/** Absent where the level forbids nothing that mounting takes: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const enforcedLevel = defineProbe({
  id: 'storage/enforced-level',
  about: 'the Pod Security level of the namespace',
  scope: 'pod',
  needs: {},
  wants: { storagePod },
  ask: (_have, { storagePod }, { ask }): Soon<Fact<string>> => {
    const mounting =
      storagePod.state === 'known' &&
      storagePod.value.storage?.containers.some((one) => one.calls.length > 0 || one.mountsDevice)
    // What has a uid was admitted, whatever the level.
    if (storagePod.state !== 'known' || mounting !== true || storagePod.value.uid !== undefined)
      return absent(storagePod.from)
    return levelOf(storagePod.value.namespace, ask)
  },
})

function levelOf(namespace: string, ask: Inquiry['ask']): Soon<Fact<string>> {
  return onward(ask(kubernetes.get('namespaces', undefined, namespace)), (answer): Fact<string> => {
    if (answer.state !== 'known') return answer
    const level = textAt(answer.value, 'metadata', 'labels', 'pod-security.kubernetes.io/enforce')
    return level === 'baseline' || level === 'restricted' ? known(level, answer.from) : absent(answer.from)
  })
}

/** The same of any pod: what may be asked for in its template. */
export const namespaceLevel = defineProbe({
  id: 'storage/namespace-level',
  about: 'the Pod Security level of the namespace',
  scope: 'pod',
  needs: {},
  wants: { storagePod },
  ask: (_have, { storagePod }, { ask }): Soon<Fact<string>> =>
    storagePod.state === 'known' ? levelOf(storagePod.value.namespace, ask) : absent(storagePod.from),
})
