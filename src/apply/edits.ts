/** Edits of an object as the API serves it: checked against what is there, and turned into a JSON patch and into the way back. */
import { edited, same } from '../core/edit.ts'
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

/** Whether all of these are to be done, are done, or can be neither. */
export function judgeEdits(object: Json, edits: readonly ObjectEdit[]): Judged {
  const own = edits.filter(({ emptied }) => emptied !== true)
  if (own.every(({ path, after }) => same(at(object, ...path), after))) return { state: 'already' }
  for (const { path, before } of own) {
    const held = at(object, ...path)
    if (!same(held, before))
      return { state: 'moved', what: `${words(path)} was ${short(before)}, and now is ${short(held)}` }
  }
  const patch: JsonObject[] = []
  const undo: ObjectEdit[] = []
  let now: Json = object
  for (const { path, after, emptied } of edits) {
    const held = at(now, ...path)
    if (emptied === true && !(isObject(held) && Object.keys(held).length === 0)) continue
    if (held === undefined && after === undefined) continue
    const missing = path.findIndex((_, index) => index > 0 && at(now, ...path.slice(0, index)) === undefined)
    const made = missing === -1 ? path.length : missing
    const next = edited(now, path, after)
    if (next === undefined || next === now)
      return { state: 'moved', what: `there is no place for ${words(path)} any more` }
    const value = at(next, ...path.slice(0, made))
    const here = pointer(path.slice(0, made))
    if (after === undefined) patch.push({ op: 'remove', path: here })
    else patch.push({ op: held === undefined ? 'add' : 'replace', path: here, value: value ?? null })
    const back: ObjectEdit = {
      path,
      ...(after === undefined ? {} : { before: after }),
      ...(held === undefined ? {} : { after: held }),
    }
    // What was made on the way goes too, from the inside out, unless somebody has put something into it since.
    const holders = path.slice(made, path.length).map((_, index) => path.slice(0, path.length - 1 - index))
    undo.unshift(back, ...holders.map((holder) => ({ path: holder, before: {}, emptied: true })))
    now = next
  }
  return { state: 'ready', patch, undo }
}
