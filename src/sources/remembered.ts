/** A source that asks each question once per run, and answers for one object from a list that it has already. */
import { absent, type Fact, keyOf, known, onward, type Question, type Soon, type Source } from '../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../core/json.ts'

/** A list's objects by namespace ('' for none), all and by name. */
type Place = { readonly all: readonly Json[]; readonly named: ReadonlyMap<string, Json> }
type Shelf = { readonly complete: boolean; readonly places: ReadonlyMap<string, Place> }

const frozen = (fact: Fact<Json>): Fact<Json> => {
  if (fact.state === 'known' && typeof fact.value === 'object') Object.freeze(fact.value)
  return Object.freeze(fact)
}

function shelve(answer: Json): Shelf {
  const places = new Map<string, { readonly all: Json[]; readonly named: Map<string, Json> }>()
  for (const one of listAt(answer, 'items')) {
    const namespace = textAt(one, 'metadata', 'namespace') ?? ''
    let place = places.get(namespace)
    if (place === undefined) {
      place = { all: [], named: new Map() }
      places.set(namespace, place)
    }
    place.all.push(one)
    place.named.set(textAt(one, 'metadata', 'name') ?? '', one)
  }
  return { complete: isObject(answer) && answer.complete === true, places }
}

const objectIn = ({ places }: Shelf, question: Question): Fact<Json> | undefined => {
  const { namespace, name } = question.input
  const place = places.get(typeof namespace === 'string' ? namespace : '')
  const object = place?.named.get(typeof name === 'string' ? name : '')
  return object === undefined ? undefined : frozen(known(object, question))
}

type Held = Soon<Fact<Json>>

/** Remembers for as long as it is kept; questions on their way are shared. What was cancelled is forgotten. */
export function remembered(source: Source): Source {
  const facts = new Map<string, Held>()
  const shelves = new Map<string, Shelf>()
  /** By call: the list of all from which every such question was answered so far. */
  const whole = new Map<string, Shelf>()
  /** Calls of which some answer is remembered by itself. */
  const single = new Set<string>()

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
      const items = shelf.places.get(namespace ?? '')?.all ?? []
      return frozen(known({ items, complete: true }, question))
    }
    const object = objectIn(shelf, question)
    if (object !== undefined) return object
    return shelf.complete ? frozen(absent(question)) : undefined
  }

  /** The first list that holds everything this question is about, itself aside. */
  const listFor = (
    question: Question,
    own: string,
  ): { readonly key: string; readonly all: boolean; readonly list: Held } | undefined => {
    const { system, call } = question
    const cut = call.lastIndexOf('/')
    const verb = call.slice(cut + 1)
    const resource = call.slice(0, cut)
    if (system !== 'kubernetes' || (verb !== 'get' && verb !== 'list') || resource.includes('/')) return undefined
    for (const [at, key] of wider(question, resource).entries()) {
      const list = key === own ? undefined : facts.get(key)
      if (list !== undefined) return { key, all: at === 0, list }
    }
    return undefined
  }

  const ask = (question: Question, signal?: AbortSignal): Soon<Fact<Json>> => {
    const all = question.system === 'kubernetes' ? whole.get(question.call) : undefined
    const one = all === undefined ? undefined : objectIn(all, question)
    if (one !== undefined) return one
    const key = keyOf(question)
    const held = facts.get(key)
    if (held !== undefined) return held
    const near = listFor(question, key)
    if (near !== undefined && !(near.list instanceof Promise) && question.call.endsWith('/get')) {
      // The list remembers its objects by itself.
      const object = fromList(question, near.key, near.list)
      const list = shelves.get(near.key)
      if (near.all && list !== undefined && !single.has(question.call)) whole.set(question.call, list)
      if (object !== undefined) return object
    }
    single.add(question.call)
    whole.delete(question.call)
    const look = (): Soon<Fact<Json>> =>
      near === undefined
        ? source.ask(question, signal)
        : onward(near.list, (fact) => fromList(question, near.key, fact) ?? source.ask(question, signal))
    const keep = (fact: Fact<Json>): Fact<Json> => {
      if (fact.state === 'unknown' && fact.why === 'cancelled') facts.delete(key)
      else facts.set(key, frozen(fact))
      return fact
    }
    const soon = onward(look(), keep)
    if (soon instanceof Promise) facts.set(key, soon)
    return soon
  }

  return { name: source.name, ask }
}
