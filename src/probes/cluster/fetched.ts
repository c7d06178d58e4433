/** What the network answered for a public document, as the world sees it. */
import { at, isObject, type Json, textAt } from '../../core/json.ts'

export type Fetched = {
  readonly url: string
  readonly answer:
    | {
        readonly status: number
        readonly contentType: string
        readonly location?: string
        /** How long the answer took. */
        readonly seconds?: number
        /** The parsed body, where it is JSON. */
        readonly document?: Json
      }
    | { readonly failure: string; readonly detail: string }
}

export function readFetched(json: Json): Fetched | undefined {
  const url = textAt(json, 'url')
  if (url === undefined) return undefined
  const failure = textAt(json, 'failure', 'kind')
  if (failure !== undefined) return { url, answer: { failure, detail: textAt(json, 'failure', 'detail') ?? failure } }
  const status = at(json, 'status')
  if (typeof status !== 'number') return undefined
  const location = textAt(json, 'location')
  const seconds = at(json, 'seconds')
  const document = isObject(json) ? json.document : undefined
  return {
    url,
    answer: {
      status,
      contentType: textAt(json, 'contentType') ?? 'without a content type',
      ...(location === undefined ? {} : { location }),
      ...(typeof seconds === 'number' ? { seconds } : {}),
      ...(document === undefined ? {} : { document }),
    },
  }
}

/** The document of an answer that is one: status 200 and JSON. */
export const documentOf = ({ answer }: Fetched): Json | undefined =>
  'status' in answer && answer.status === 200 ? answer.document : undefined
