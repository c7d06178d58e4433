/** Several sources as one: the first that knows answers, and what it did not look at falls through to the next. */
import { type Fact, known, onward, type Question, type Soon, type Source } from '../core/fact.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'

const identity = (object: Json): string =>
  `${textAt(object, 'kind')} ${textAt(object, 'metadata', 'namespace') ?? ''}/${textAt(object, 'metadata', 'name')}`

/** The lists of both, where an object of the upper one hides the lower one of its name. */
function merged(upper: JsonObject, lower: Json): JsonObject {
  const items = new Map(listAt(upper, 'items').map((one) => [identity(one), one]))
  for (const one of listAt(lower, 'items')) if (!items.has(identity(one))) items.set(identity(one), one)
  return { items: [...items.values()], complete: at(lower, 'complete') === true || upper.complete === true }
}

const isList = ({ call, system }: Question): boolean => system === 'kubernetes' && call.endsWith('/list')

/** What was seen in a log or a token file is seen whichever layer saw it. */
function together(member: string, upper: Fact<Json>, lower: Fact<Json>): Fact<Json> {
  if (upper.state !== 'known') return lower
  if (lower.state !== 'known') return upper
  return known({ [member]: [...listAt(upper.value, member), ...listAt(lower.value, member)] }, upper.from)
}

/** Of two that could not look, the one that tried says more. */
const better = (upper: Fact<Json>, lower: Fact<Json>): Fact<Json> =>
  lower.state === 'unknown' && lower.why === 'not-collected' && upper.state === 'unknown' ? upper : lower

/** The upper source lies over the lower one: documents over a cluster answer "what if I applied this?". */
function pair(upper: Source, lower: Source): Source {
  const ask = (question: Question, signal?: AbortSignal): Soon<Fact<Json>> =>
    onward(upper.ask(question, signal), (above) => {
      const below = (): Soon<Fact<Json>> => lower.ask(question, signal)
      if (question.system === 'observed') return onward(below(), (fact) => together(question.call, above, fact))
      if (above.state === 'unknown') return onward(below(), (fact) => better(above, fact))
      if (above.state === 'absent' || !isList(question)) return above
      if (!isObject(above.value) || above.value.complete === true) return above
      const { value } = above
      return onward(below(), (fact) => (fact.state === 'known' ? known(merged(value, fact.value), question) : above))
    })
  return { name: `${upper.name} over ${lower.name}`, ask }
}

/** The first is the uppermost. */
export const layered = (first: Source, ...rest: readonly Source[]): Source => {
  const [next, ...more] = rest
  return next === undefined ? first : pair(first, layered(next, ...more))
}
