/** A source with changes laid over it: what would be said if they had been carried out. */

import { withEdit } from '../core/edit.ts'
import { absent, type Fact, keyOf, known, onward, type Question, type Source } from '../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import type { Effect } from '../core/plan.ts'

/** The answer as it would be. What was not seen stays unseen, unless the change says the whole of it. */
function under(fact: Fact<Json>, effect: Effect): Fact<Json> {
  const { path, after } = effect
  if (path.length === 0) return after === undefined ? absent(fact.from) : known(after, fact.from)
  if (fact.state !== 'known') return fact
  const value = withEdit(fact.value, effect)
  return value === undefined ? absent(fact.from) : known(value, fact.from)
}

const isObjectOf = (item: Json, { input }: Question): boolean =>
  textAt(item, 'metadata', 'name') === textAt(input, 'name') &&
  textAt(item, 'metadata', 'namespace') === textAt(input, 'namespace')

/** A change to one object as the lists show it that hold it. */
function inList(fact: Fact<Json>, effect: Effect): Fact<Json> {
  if (fact.state !== 'known' || !isObject(fact.value)) return fact
  const items = listAt(fact.value, 'items')
  const held = items.some((item) => isObjectOf(item, effect.question))
  const added = effect.path.length === 0 && effect.after !== undefined && !held ? [effect.after] : []
  const next = items.flatMap((item) => {
    if (!isObjectOf(item, effect.question)) return [item]
    const value = withEdit(item, effect)
    return value === undefined ? [] : [value]
  })
  return known({ ...fact.value, items: [...next, ...added] }, fact.from)
}

/** The list of a kind, in the namespace of an object or in all, that the object stands in. */
const holds = (list: Question, { question }: Effect): boolean => {
  if (list.system === 'document' && question.system === 'document')
    return list.call === question.call && at(list.input, 'name') === undefined
  const kind = /^(.+)\/get$/.exec(question.call)?.[1]
  if (list.system !== 'kubernetes' || question.system !== 'kubernetes' || list.call !== `${kind}/list`) return false
  const namespace = at(list.input, 'namespace')
  return namespace === undefined || namespace === at(question.input, 'namespace')
}

/** In the order of the effects, so that each builds on those before it; an object's change shows in its lists by itself. */
export function overlaid(source: Source, effects: readonly Effect[]): Source {
  const direct = Map.groupBy(effects, ({ question }) => keyOf(question))
  return {
    name: source.name,
    ask: (question, signal) => {
      const own = direct.get(keyOf(question)) ?? []
      const isList = question.call.endsWith('/list') || question.system === 'document'
      const listed = isList ? effects.filter((effect) => holds(question, effect)) : []
      if (own.length + listed.length === 0) return source.ask(question, signal)
      const told = own[0]?.path.length === 0 ? absent(question) : source.ask(question, signal)
      return onward(told, (fact: Fact<Json>) => listed.reduce(inList, own.reduce(under, fact)))
    },
  }
}
