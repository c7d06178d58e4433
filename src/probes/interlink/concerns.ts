/** Whether a token of a remote pod goes by an object, and certificates that last for a lifetime. */
import { absent, defineProbe, type Fact, known, type Question } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { configured } from './config.ts'
import { route } from './route.ts'

export const tokenConcerns = defineProbe({
  id: 'interlink/token-concerns',
  about: 'whether a token of a remote pod goes this way',
  scope: 'object',
  needs: {},
  wants: { configured, route },
  ask: (_have, { configured, route }): Fact<true> => {
    const found = [configured, route].find(({ state }) => state === 'known')
    return found === undefined ? absent(configured.from) : known(true, found.from)
  },
})

export type Century = { readonly object: string; readonly duration: string }

const hours = (duration: string): number => Number(/^(\d{1,9})h/.exec(duration)?.[1] ?? 0)
const tenYears = 87_600

/** Of the Ingress and of the Certificates beside it; absent where none lasts that long. */
export const centuries = defineProbe({
  id: 'interlink/centuries',
  about: 'certificates that are valid for more than ten years',
  scope: 'object',
  needs: {},
  wants: { route },
  ask: async (_have, { route }, { ask }): Promise<Fact<readonly Century[]>> => {
    const question: Question = kubernetes.list('certificates')
    if (route.state !== 'known') return absent(question)
    const { namespace, name, annotations, from } = route.value
    const own = annotations['cert-manager.io/duration'] ?? ''
    if (hours(own) > tenYears) return known([{ object: `Ingress ${namespace}/${name}`, duration: own }], from)
    const answer = await ask(question)
    const found = (answer.state === 'known' ? listAt(answer.value, 'items') : []).flatMap((one) => {
      const duration = textAt(one, 'spec', 'duration') ?? ''
      const object = `Certificate ${textAt(one, 'metadata', 'namespace') ?? 'default'}/${textAt(one, 'metadata', 'name') ?? ''}`
      return hours(duration) > tenYears ? [{ object, duration }] : []
    })
    return found.length === 0 ? absent(question) : known(found, question)
  },
})
