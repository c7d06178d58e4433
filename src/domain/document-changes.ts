/** Changes to files that a person keeps: a plan shows what to write there, and nobody but that person writes it. */
import type { Question } from '../core/fact.ts'
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import type { Change, Effect, Path } from '../core/plan.ts'
import type { Changed, Edit } from './kubernetes-changes.ts'
import { documents } from './questions.ts'

/** `file` is left out where an answer does not tell it. */
export type DocumentPlace = { readonly kind: string; readonly name: string; readonly file?: string }

/** An edit of what was read; `written` is where the same stands in the file, where that is elsewhere. */
export type DocumentEdit = Edit & { readonly written?: Path }

/** The same change in the words of the file: a text in the place of another, wherever it stands, or a key of one section of an INI file. */
export type Rewording = { readonly from: string; readonly to: string; readonly section?: string }

const change = (
  { kind, name, file }: DocumentPlace,
  edits: readonly DocumentEdit[],
  words: readonly Rewording[],
): Change => ({
  system: 'document',
  call: `${kind}/edit`,
  input: {
    name,
    ...(file === undefined ? {} : { file }),
    edits: edits.map(({ path, written = path, before, after }) => ({
      path: written,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    })),
    ...(words.length === 0 ? {} : { words: words.map((one): JsonObject => ({ ...one })) }),
  },
})

const back = ({ before, after, ...where }: DocumentEdit): DocumentEdit => ({
  ...where,
  ...(after === undefined ? {} : { before: after }),
  ...(before === undefined ? {} : { after: before }),
})

/** What a person sees is the file; no source answers for it. */
const ofFile = (file: string): Question => ({ system: 'document', call: 'file', input: { name: file } })

function changed(
  question: Question,
  place: DocumentPlace,
  edits: readonly [DocumentEdit, ...DocumentEdit[]],
  words: readonly Rewording[],
): Changed {
  const effect = ({ written: _, ...edit }: DocumentEdit): Effect => ({ question, ...edit })
  const shown = ({ path, written = path, ...edit }: DocumentEdit): readonly Effect[] =>
    place.file === undefined ? [] : [{ question: ofFile(place.file), path: written, ...edit }]
  const [first, ...rest] = edits
  const [own = effect(first), ...others] = edits.flatMap(shown)
  const beneath = place.file === undefined ? rest : edits
  const wordsBack = words.map(({ from, to, ...where }) => ({ from: to, to: from, ...where }))
  return {
    change: change(place, edits, words),
    effects: [own, ...others, ...beneath.map(effect)],
    undo: change(place, edits.map(back).toReversed(), wordsBack.toReversed()),
  }
}

/** A document of a kind that no API serves. */
export const editDocument = (
  place: DocumentPlace,
  edits: readonly [DocumentEdit, ...DocumentEdit[]],
  words: readonly Rewording[] = [],
): Changed => changed(documents.named(place.kind, place.name), place, edits, words)

/** The manifest of an object that the API server has not taken, or would not take; `question` asks for that object. */
export const editManifest = (
  question: Question,
  place: DocumentPlace,
  edits: readonly [DocumentEdit, ...DocumentEdit[]],
): Changed => changed(question, place, edits, [])

/** Where the two differ, each place with what stands there and what should. */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  path: readonly (string | number)[] = [],
): readonly Edit[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return keys.flatMap((key) => differences(before[key], after[key], [...path, key]))
  }
  if (isList(before) && isList(after) && before.length === after.length)
    return before.flatMap((one, index) => differences(one, after[index], [...path, index]))
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** The value with one text in the place of another wherever it occurs, in keys too. */
export function reworded(value: Json, from: string, to: string): Json {
  if (typeof value === 'string') return value.replaceAll(from, () => to)
  if (isList(value)) return value.map((one) => reworded(one, from, to))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key.replaceAll(from, () => to), reworded(one, from, to)]),
  )
}

/** A key by another name at the same place. */
export function renamed(value: Json | undefined, path: readonly string[], to: string): readonly Edit[] {
  return [
    { path, ...(value === undefined ? {} : { before: value }) },
    { path: [...path.slice(0, -1), to], ...(value === undefined ? {} : { after: value }) },
  ]
}
