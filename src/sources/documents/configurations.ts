/** Recognises configurations of tools that no API serves: a reader for each kind, each by the shape of its documents. */
import type { Fact, Question } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { awsIamConfiguration } from './capa.ts'
import { workspace } from './cloudtik.ts'
import { type Document, type Recogniser, type TextFile, told } from './document.ts'

/** A document of its kind: its name, and what is kept of it; no secret. */
export type Configuration = { readonly kind: string; readonly name: string; readonly content: JsonObject }

/** Undefined for what is none of its kind. */
export type Reader = (document: Document) => Configuration | undefined
/** The same for files that are neither YAML nor JSON. */
export type TextReader = (file: TextFile) => Configuration | undefined

const readers: readonly Reader[] = [awsIamConfiguration, workspace]
const textReaders: readonly TextReader[] = []

export type Configurations = Recogniser & { readonly takeText: (file: TextFile) => boolean }

export function configurationDocuments(): Configurations {
  const byKind = new Map<string, Map<string, JsonObject>>()

  const put = (read: Configuration | undefined, file: string): boolean => {
    if (read === undefined) return false
    const { kind, name, content } = read
    const shelf = byKind.get(kind) ?? new Map<string, JsonObject>()
    byKind.set(kind, shelf)
    const before = shelf.get(name)
    // Of two of one name the first says most; the second adds what that leaves out.
    shelf.set(name, before === undefined ? { kind, metadata: { name }, file, ...content } : added(before, content))
    return true
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'document') return undefined
    const shelf = byKind.get(question.call)
    return shelf === undefined ? undefined : told({ items: [...shelf.values()] }, question)
  }

  return {
    take: (document) => put(first(readers, document), document.file),
    takeText: (file) => put(first(textReaders, file), file.name),
    answer,
  }
}

function first<T>(all: readonly ((one: T) => Configuration | undefined)[], one: T): Configuration | undefined {
  for (const read of all) {
    const found = read(one)
    if (found !== undefined) return found
  }
  return undefined
}

const added = (before: JsonObject, more: JsonObject): JsonObject => {
  const both: { [key: string]: Json } = { ...more, ...before }
  for (const [key, value] of Object.entries(more)) {
    const held = before[key]
    if (isObject(held) && isObject(value)) both[key] = { ...value, ...held }
  }
  return both
}
