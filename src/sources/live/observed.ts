/** What a live cluster shows besides objects: known error texts in its events, and the time. */
import { absent, type Fact, known, type Question, type Source, unknown } from '../../core/fact.ts'
import { isObject, type Json } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { ApiServer } from './api-server.ts'
import { fetchList } from './kubernetes-lists.ts'

export type ObservedDeps = {
  readonly api: ApiServer
  /** Undefined: the events of all namespaces. */
  readonly namespace: string | undefined
}

/** What identity goes wrong with is told in warnings; the others are by far the most. */
const warnings = 'fieldSelector=type%3DWarning'

/** Events that cannot be read are nothing observed: an error text can only add to what is known. */
export function observedSource({ api, namespace }: ObservedDeps): Source {
  const errors = async (question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const { logDocuments } = await import('../documents/logs.ts')
    const logs = logDocuments()
    try {
      const events = await fetchList(api, 'events', namespace, kubernetes.list('events', namespace), signal, warnings)
      if (events.state === 'known') logs.takeEvents(events.value.items.filter(isObject))
    } catch {
      // Credentials that fail here fail for every other question too, and are told there.
    }
    return logs.answer(question) ?? known({ errors: [] }, question)
  }
  return {
    name: 'events',
    ask: (question, signal) => {
      // A cluster has no files.
      if (question.system === 'document') return absent(question)
      if (question.system === 'clock') return known(new Date().toISOString(), question)
      if (question.call === 'errors') return errors(question, signal)
      if (question.call === 'tokens') return known({ tokens: [] }, question)
      return unknown('not-asked', `${question.call} is not a question that a live cluster knows`, question)
    },
  }
}
