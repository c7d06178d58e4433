/** Changing plain data at one path, without touching what it was made from. */
import { at, canonical, isList, isObject, type Json, listAt } from './json.ts'

type Path = readonly (string | number)[]

/**
 * The value with `after` at the path; without `after`, with nothing there. Missing objects on the way are made; `-` at the end of a path joins
 * a list, unless the same is in it already. A path that leads through something else than objects and lists leaves the value as it is.
 */
export function edited(value: Json | undefined, path: Path, after: Json | undefined): Json | undefined {
  const [step, ...rest] = path
  if (step === undefined) return after
  if (isList(value)) {
    if (step === '-' && rest.length === 0) {
      const joins = after !== undefined && !value.some((one) => canonical(one) === canonical(after))
      return joins ? [...value, after] : value
    }
    if (typeof step !== 'number' || step < 0 || step >= value.length) return value
    const next = edited(value[step], rest, after)
    return next === undefined ? value.toSpliced(step, 1) : value.with(step, next)
  }
  if (step === '-' && rest.length === 0) return value === undefined && after !== undefined ? [after] : value
  if (typeof step === 'number' || (value !== undefined && !isObject(value))) return value
  const held = at(value, step)
  const next = edited(held, rest, after)
  if (next === held) return value
  if (next === undefined) {
    if (!isObject(value)) return value
    const { [step]: _, ...others } = value
    return others
  }
  return { ...value, [step]: next }
}

/** Whether the two say the same, whatever the order of their keys; nothing is the same as nothing. */
export const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : canonical(a) === canonical(b)

/**
 * One change of one place, from `before` (left out: nothing there) to `after` (left out: nothing there). In a list, an index without `before`
 * is where a member goes in between; `-` joins the list with `after`, and takes the last that equals `before` out of it. The same on both
 * sides changes nothing, and pins the change to what must stand there.
 */
export type Edit = { readonly path: Path; readonly before?: Json; readonly after?: Json }

/** Where in the list the member is that a `-` takes out; -1 where there is none. */
export const memberAt = (value: Json | undefined, { path, before }: Edit): number =>
  listAt(value, ...path.slice(0, -1)).findLastIndex((one) => same(one, before))

export const isGuard = ({ before, after }: Edit): boolean => before !== undefined && same(before, after)

/** A member goes into a list, between others. */
export const isInsertion = (value: Json | undefined, { path, before, after }: Edit): boolean =>
  typeof path.at(-1) === 'number' &&
  before === undefined &&
  after !== undefined &&
  isList(at(value, ...path.slice(0, -1)))

/** Whether all is there as the edit expects it. */
export function fits(value: Json | undefined, edit: Edit): boolean {
  const { path, before, after } = edit
  const list = at(value, ...path.slice(0, -1))
  if (path.at(-1) === '-') return after === undefined ? memberAt(value, edit) >= 0 : list === undefined || isList(list)
  if (isInsertion(value, edit)) return Number(path.at(-1)) <= listAt({ list: list ?? null }, 'list').length
  return same(at(value, ...path), before)
}

/** Whether the place says already what it is to say. */
export function isSo(value: Json | undefined, edit: Edit): boolean {
  const { path, after } = edit
  if (path.at(-1) !== '-') return same(at(value, ...path), after)
  return after === undefined
    ? memberAt(value, edit) < 0
    : listAt(value, ...path.slice(0, -1)).some((one) => same(one, after))
}

/** The value with the edit made. */
export function withEdit(value: Json | undefined, edit: Edit): Json | undefined {
  const { path, before, after } = edit
  const list = path.slice(0, -1)
  if (isInsertion(value, edit))
    return edited(value, list, listAt(value, ...list).toSpliced(Number(path.at(-1)), 0, after ?? null))
  if (path.at(-1) !== '-' || after !== undefined || before === undefined) return edited(value, path, after)
  const index = memberAt(value, edit)
  return index < 0 ? value : edited(value, [...list, index], undefined)
}
