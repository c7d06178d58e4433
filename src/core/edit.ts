/** Changing plain data at one path, without touching what it was made from. */
import { at, canonical, isList, isObject, type Json } from './json.ts'

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
