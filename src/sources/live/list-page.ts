/** Reads one page of a list piece by piece, so that what is dropped of it dies young. */
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { parse } from './kubernetes-answers.ts'

export type Page = { readonly items: readonly JsonObject[]; readonly rest: string }

/** Where one object of a typed list ends and the next begins. A quote inside of a text is escaped, so no text holds this. */
const seam = Buffer.from('},{"metadata":{')
const opening = Buffer.from('"items":[')
/** Some dozen objects: few enough to be collected in the youngest generation, many enough to parse fast. */
const pieceBytes = 64 << 10
const headBytes = 8 << 10

/** Items of a typed list come without their own kind. */
const typeOf = (page: JsonObject) => ({
  apiVersion: textAt(page, 'apiVersion') ?? '',
  kind: textAt(page, 'kind')?.replace(/List$/, '') ?? '',
})
const restOf = (page: JsonObject): string => textAt(page, 'metadata', 'continue') ?? ''

type Keep = (item: JsonObject, typed: { readonly apiVersion: string; readonly kind: string }) => JsonObject

/** What `keep` makes of every object of the page, and where the next page begins ('' on the last); undefined where it is no list. */
export function readPage(body: Buffer, keep: Keep): Page | undefined {
  const start = body.subarray(0, headBytes).indexOf(opening)
  return (start === -1 ? undefined : inPieces(body, start, keep)) ?? whole(body, keep)
}

function whole(body: Buffer, keep: Keep): Page | undefined {
  const page = parse(body)
  if (!isObject(page) || !isList(page.items)) return undefined
  const typed = typeOf(page)
  return { items: page.items.flatMap((item) => (isObject(item) ? [keep(item, typed)] : [])), rest: restOf(page) }
}

/** A seam inside of an object (a StatefulSet's claim templates) yields a piece that is no JSON: undefined, to be read whole. */
function inPieces(body: Buffer, start: number, keep: Keep): Page | undefined {
  let at = start + opening.length
  const cuts = [at]
  for (;;) {
    const cut = body.indexOf(seam, at + pieceBytes)
    if (cut === -1) break
    at = cut + 2
    cuts.push(at)
  }
  // A page of one piece is as well read whole.
  if (cuts.length === 1) return undefined
  const items: JsonObject[] = []
  let rest = ''
  try {
    const head: Json = JSON.parse(`${body.toString('utf8', 0, start)}"items":[]}`)
    if (!isObject(head)) return undefined
    const typed = typeOf(head)
    // Whose kind stands behind the items is read whole: what is kept of an object depends on it.
    if (typed.kind === '') return undefined
    for (const [index, from] of cuts.entries()) {
      const next = cuts[index + 1]
      const text = body.toString('utf8', from, next === undefined ? body.length : next - 1)
      const piece: Json = JSON.parse(`{"items":[${text}${next === undefined ? '' : ']}'}`)
      if (!isObject(piece) || !isList(piece.items)) return undefined
      for (const item of piece.items) if (isObject(item)) items.push(keep(item, typed))
      if (next === undefined) rest = restOf(head) || restOf(piece)
    }
    return { items, rest }
  } catch {
    return undefined
  }
}
