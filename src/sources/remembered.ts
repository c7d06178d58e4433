/** A source that asks each question once per run, and answers for one object from a list that it has already. */
import { absent, type Fact, keyOf, known, onward, type Question, type Soon, type Source } from '../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../core/json.ts'

type Shelf = { readonly complete: boolean; readonly objects: ReadonlyMap<string, Json> }

const frozen = (fact: Fact<Json>): Fact<Json> => {
  if (fact.state === 'known' && typeof fact.value === 'object') Object.freeze(fact.value)
  return Object.freeze(fact)
}

const place = (namespace: string | undefined, name: string | undefined): string => `${namespace ?? ''}/${name ?? ''}`

const shelve = (answer: Json): Shelf => ({
  complete: isObject(answer) && answer.complete === true,
  objects: new Map(
    listAt(answer, 'items').map((one) => [
      place(textAt(one, 'metadata', 'namespace'), textAt(one, 'metadata', 'name')),
      one,
    ]),
  ),
})

/** Remembers for as long as it is kept; questions on their way are shared. What was cancelled is forgotten. */
export function remembered(source: Source): Source {
  const facts = new Map<string, Soon<Fact<Json>>>()
  const shelves = new Map<string, Shelf>()

  /** Lists that hold everything this question is about: that of its namespace, and that of all. */
  const wider = ({ system, input }: Question, resource: string): readonly string[] => {
    const all: Question = { system, call: `${resource}/list`, input: {} }
    const namespace = textAt(input, 'namespace')
    return namespace === undefined ? [keyOf(all)] : [keyOf(all), keyOf({ ...all, input: { namespace } })]
  }

  const shelfOf = (key: string, fact: Fact<Json>): Shelf | undefined => {
    if (fact.state !== 'known') return undefined
    let shelf = shelves.get(key)
    if (shelf === undefined) {
      shelf = shelve(fact.value)
      shelves.set(key, shelf)
    }
    return shelf
  }

  const fromList = (question: Question, key: string, fact: Fact<Json>): Fact<Json> | undefined => {
    const shelf = shelfOf(key, fact)
    if (shelf === undefined || fact.state !== 'known') return undefined
    const namespace = textAt(question.input, 'namespace')
    if (question.call.endsWith('/list')) {
      if (!shelf.complete) return undefined
      const items = listAt(fact.value, 'items').filter((one) => textAt(one, 'metadata', 'namespace') === namespace)
      return frozen(known({ items, complete: true }, question))
    }
    const object = shelf.objects.get(place(namespace, textAt(question.input, 'name')))
    if (object !== undefined) return frozen(known(object, question))
    return shelf.complete ? frozen(absent(question)) : undefined
  }

  const look = (question: Question, signal: AbortSignal | undefined): Soon<Fact<Json>> => {
    const { system, call } = question
    const cut = call.lastIndexOf('/')
    const verb = call.slice(cut + 1)
    const resource = call.slice(0, cut)
    const isObjects = system === 'kubernetes' && (verb === 'get' || verb === 'list') && !resource.includes('/')
    if (isObjects)
      for (const key of wider(question, resource)) {
        const list = key === keyOf(question) ? undefined : facts.get(key)
        if (list === undefined) continue
        return onward(list, (fact) => fromList(question, key, fact) ?? source.ask(question, signal))
      }
    return source.ask(question, signal)
  }

  const ask = (question: Question, signal?: AbortSignal): Soon<Fact<Json>> => {
    const key = keyOf(question)
    const held = facts.get(key)
    if (held !== undefined) return held
    const keep = (fact: Fact<Json>): Fact<Json> => {
      if (fact.state === 'unknown' && fact.why === 'cancelled') facts.delete(key)
      else facts.set(key, frozen(fact))
      return fact
    }
    const soon = onward(look(question, signal), keep)
    if (soon instanceof Promise) facts.set(key, soon)
    return soon
  }

  return { name: source.name, ask }
}
