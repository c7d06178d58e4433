/** Edits of an object as the API serves it: checked against what is there, and turned into a JSON patch and into the way back. */
import { fits, isGuard, isInsertion, isSo, memberAt, withEdit } from '../core/edit.ts'
import { at, isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { short } from './writer.ts'

type Step = string | number
/**
 * `before` and `after` left out: nothing there. `emptied`: goes when nothing is left in it, for it was made only to hold what is taken back.
 */
export type ObjectEdit = {
  readonly path: readonly Step[]
  readonly before?: Json
  readonly after?: Json
  readonly emptied?: boolean
}

export type Judged =
  | { readonly state: 'ready'; readonly patch: readonly JsonObject[]; readonly undo: readonly ObjectEdit[] }
  | { readonly state: 'already' }
  | { readonly state: 'moved'; readonly what: string }

const isStep = (one: Json): one is Step => typeof one === 'string' || typeof one === 'number'

/** The edits of a change; undefined where it has not the form of one. */
export function readEdits(json: Json | undefined): readonly ObjectEdit[] | undefined {
  if (!isList(json) || json.length === 0) return undefined
  const edits = json.flatMap((one): readonly ObjectEdit[] => {
    const path = at(one, 'path')
    if (!isObject(one) || !isList(path) || path.length === 0 || !path.every(isStep)) return []
    const { before, after } = one
    return [
      {
        path,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        ...(one.emptied === true ? { emptied: true } : {}),
      },
    ]
  })
  return edits.length === json.length ? edits : undefined
}

export const editAsJson = ({ path, before, after, emptied }: ObjectEdit): JsonObject => ({
  path,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
  ...(emptied === true ? { emptied } : {}),
})

const pointer = (path: readonly Step[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const words = (path: readonly Step[]): string =>
  path
    .map((step, index) =>
      typeof step === 'number'
        ? `[${step}]`
        : /^[A-Za-z_]\w*$/.test(step)
          ? `${index === 0 ? '' : '.'}${step}`
          : `[${JSON.stringify(step)}]`,
    )
    .join('')

const isEmpty = (held: Json | undefined): boolean =>
  isList(held) ? held.length === 0 : isObject(held) && Object.keys(held).length === 0

const told = (object: Json, { path, before }: ObjectEdit): string => {
  const list = path.at(-1) === '-' ? path.slice(0, -1) : path
  const held = at(object, ...list)
  return `${words(list)} ${list === path ? 'was' : 'held'} ${short(before)}, and now is ${short(held)}`
}

/** Whether all of these are to be done, are done, or can be neither. They follow each other: an index counts what those before have left. */
export function judgeEdits(object: Json, edits: readonly ObjectEdit[]): Judged {
  const own = edits.filter(({ emptied }) => emptied !== true)
  const guards = own.filter(isGuard)
  const strayed = guards.find((guard) => !fits(object, guard))
  if (strayed !== undefined) return { state: 'moved', what: told(object, strayed) }
  if (own.every((edit) => isSo(object, edit))) return { state: 'already' }
  const patch: JsonObject[] = []
  const undo: ObjectEdit[] = []
  let now: Json = object
  for (const edit of edits) {
    const { path, before, after, emptied } = edit
    const held = at(now, ...path)
    if (isGuard(edit) || (emptied === true && !isEmpty(held))) continue
    if (emptied !== true && !fits(now, edit)) return { state: 'moved', what: told(now, edit) }
    const takesOut = path.at(-1) === '-' && after === undefined
    if (held === undefined && after === undefined && !takesOut) continue
    const inserts = isInsertion(now, edit)
    const missing = path.findIndex((_, index) => index > 0 && at(now, ...path.slice(0, index)) === undefined)
    const made = missing === -1 ? path.length : missing
    const place = takesOut ? [...path.slice(0, -1), memberAt(now, edit)] : path.slice(0, made)
    const next = emptied === true ? withEdit(now, { path }) : withEdit(now, edit)
    // To join what is there already changes nothing.
    if (next === now && path.at(-1) === '-' && after !== undefined) continue
    if (next === undefined || next === now)
      return { state: 'moved', what: `there is no place for ${words(path)} any more` }
    const value = path.at(-1) === '-' && made === path.length ? after : at(next, ...place)
    const here = pointer(place)
    if (after === undefined) patch.push({ op: 'remove', path: here })
    else patch.push({ op: held === undefined || inserts ? 'add' : 'replace', path: here, value: value ?? null })
    const was = takesOut ? before : inserts ? undefined : held
    const back: ObjectEdit = {
      path: takesOut ? place : path,
      ...(after === undefined ? {} : { before: after }),
      ...(was === undefined ? {} : { after: was }),
    }
    // What was made on the way goes too, from the inside out, unless somebody has put something into it since.
    const holders = path.slice(made, path.length).map((_, index) => path.slice(0, path.length - 1 - index))
    undo.unshift(
      back,
      ...holders.map((holder, index) => ({
        path: holder,
        before: index === 0 && path.at(-1) === '-' ? [] : {},
        emptied: true,
      })),
    )
    now = next
  }
  return { state: 'ready', patch, undo: [...guards, ...undo] }
}
