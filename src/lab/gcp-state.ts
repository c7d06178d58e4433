/** What a case shows of Google Cloud, as the lab's services hold it: read by the same recogniser as documents are, changed by what is written. */
import { randomBytes } from 'node:crypto'
import { edited } from '../core/edit.ts'
import type { Question } from '../core/fact.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { gcp } from '../domain/questions.ts'
import { gcpDocuments } from '../sources/documents/gcp.ts'
import type { CaseDocument } from './case-documents.ts'

export type GoogleState = {
  /** Undefined where the case does not show it. */
  readonly get: (question: Question) => JsonObject | undefined
  readonly put: (question: Question, value: JsonObject) => void
  /** Whether the case shows anything of Google Cloud. */
  readonly inUse: boolean
  /** The cluster, where it is one of GKE. */
  readonly cluster: JsonObject | undefined
  /** The name that gcloud would give it in a kubeconfig. */
  readonly context: string | undefined
}

const keyOf = ({ call, input }: Question): string => JSON.stringify([call, input])
const etag = (): string => randomBytes(8).toString('base64')

export function googleIn(documents: readonly CaseDocument[]): GoogleState {
  const recogniser = gcpDocuments()
  let inUse = false
  for (const { file, stem, value } of documents) {
    const folder = file.split('/').slice(0, -1).join('/')
    if (recogniser.take({ file, stem, folder, value, line: 1, duplicates: () => [] })) inUse = true
  }
  const changed = new Map<string, JsonObject>()
  const get = (question: Question): JsonObject | undefined => {
    const key = keyOf(question)
    const held = changed.get(key)
    if (held !== undefined) return held
    const fact = recogniser.answer(question)
    if (fact?.state !== 'known' || !isObject(fact.value)) return undefined
    const isPolicy = question.call.endsWith('.getIamPolicy')
    const value = isPolicy && fact.value.etag === undefined ? { ...fact.value, etag: etag() } : fact.value
    changed.set(key, value)
    return value
  }
  const cluster = get(gcp.cluster())
  const [, project, location] =
    /\/projects\/([^/]+)\/(?:locations|zones)\/([^/]+)\//.exec(textAt(cluster, 'selfLink') ?? '') ?? []
  const name = textAt(cluster, 'name')
  return {
    get,
    put: (question, value) => {
      changed.set(keyOf(question), value)
    },
    inUse,
    cluster,
    context:
      project === undefined || location === undefined || name === undefined
        ? undefined
        : `gke_${project}_${location}_${name}`,
  }
}

/** A policy as the answer to whoever did not ask for version 3: conditions are hidden. */
export const hidden = (policy: JsonObject): JsonObject => ({
  ...policy,
  version: 1,
  bindings: listAt(policy, 'bindings').map((one) => {
    if (!isObject(one) || one.condition === undefined) return one
    const { condition: _, ...kept } = one
    return { ...kept, role: `${textAt(one, 'role') ?? ''}_withcond_${'0'.repeat(20)}` }
  }),
})

export type Taken =
  | { readonly state: 'taken'; readonly policy: JsonObject }
  | { readonly state: 'conflict' }
  | { readonly state: 'too-old' }

/** What a write makes of a policy: refused where its etag is of another one, or where it would lose conditions. */
export function takePolicy(held: JsonObject, next: JsonObject): Taken {
  if (next.etag !== undefined && next.etag !== held.etag) return { state: 'conflict' }
  const conditional = [held, next].some((policy) =>
    listAt(policy, 'bindings').some((one) => isObject(one) && one.condition !== undefined),
  )
  if (conditional && next.version !== 3) return { state: 'too-old' }
  return { state: 'taken', policy: { ...next, etag: etag() } }
}

/** The fields of an update mask, out of one value into another. */
export function masked(held: JsonObject, from: JsonObject, mask: string): JsonObject {
  let value: Json = held
  for (const field of mask.split(',')) {
    const path = field.split('.')
    const after = path.reduce<Json | undefined>((inner, step) => (isObject(inner) ? inner[step] : undefined), from)
    value = edited(value, path, after) ?? {}
  }
  return isObject(value) ? value : held
}
