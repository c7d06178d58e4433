/** Reads a case into its documents as they stand: a folder, one file, or a `*.case.yaml` that holds several. */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

/** `stem` is the file's name without its ending: it names what some tools' output does not. */
export type CaseDocument = { readonly stem: string; readonly value: JsonObject }
/** The texts of a case by file name, where it does not come from the disk. */
export type CaseFiles = { readonly [name: string]: string }

export type CaseDocuments = {
  readonly documents: readonly CaseDocument[]
  /** Headers and claims of tokens; their signatures have been dropped. */
  readonly tokens: readonly { readonly header: JsonObject; readonly claims: JsonObject }[]
}

/** A case that cannot be served at all, in one sentence for a person. */
export class CaseError extends Error {}

const largestFile = 64 * 1024 * 1024
const mostFiles = 10_000

/** Every file below a path (or the file itself) with its text; bounded in size and number. */
async function filesAt(place: string): Promise<CaseFiles> {
  const found: { [name: string]: string } = {}
  const kind = await stat(place).catch(() => undefined)
  if (kind === undefined)
    throw new CaseError(`There is no case at ${place}: name a folder of documents or a *.case.yaml file.`)
  const names = kind.isDirectory()
    ? (await readdir(place, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
    : [place]
  if (names.length > mostFiles)
    throw new CaseError(`${place} holds ${names.length} files; a case has at most ${mostFiles}.`)
  for (const name of names.sort()) {
    if (!/\.(ya?ml|json|jwt)$/i.test(name)) continue
    if ((await stat(name)).size > largestFile) throw new CaseError(`${name} is larger than ${largestFile >> 20} MiB.`)
    found[kind.isDirectory() ? path.relative(place, name) : path.basename(name)] = await readFile(name, 'utf8')
  }
  return found
}

/** The documents of a case. Throws CaseError where there is nothing to read or a document cannot be parsed. */
export async function readCase(place: string | CaseFiles): Promise<CaseDocuments> {
  const files = typeof place === 'string' ? await filesAt(place) : place
  const documents: CaseDocument[] = []
  const tokens: CaseDocuments['tokens'][number][] = []
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith('.jwt')) {
      const token = decoded(text)
      if (token !== undefined) tokens.push(token)
    } else documents.push(...documentsIn(name, text))
  }
  if (documents.length === 0 && tokens.length === 0)
    throw new CaseError(`${typeof place === 'string' ? place : 'The case'} holds no document that the lab could serve.`)
  return { documents, tokens }
}

const stemOf = (name: string): string => path.parse(name).name

function documentsIn(name: string, text: string): readonly CaseDocument[] {
  const parsed = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent' })
  if (!Array.isArray(parsed)) return []
  return parsed.flatMap((document) => {
    const [trouble] = document.errors
    if (trouble !== undefined) throw new CaseError(`${name} cannot be read: ${trouble.message.split('\n')[0] ?? ''}`)
    const comments = `${document.commentBefore ?? ''}\n${document.contents?.commentBefore ?? ''}`
    const named = /^\s*file:\s*(\S.*?)\s*$/m.exec(comments)?.[1]
    const value: Json = document.toJS({ maxAliasCount: 100 })
    const stem = stemOf(named ?? name)
    return (isList(value) ? value : [value]).filter(isObject).map((one) => ({ stem, value: one }))
  })
}

function decoded(text: string): CaseDocuments['tokens'][number] | undefined {
  const [header, claims] = text.trim().split('.').map(objectIn)
  return header === undefined || claims === undefined ? undefined : { header, claims }
}

/** A part of a token; undefined where it is not base64url of a JSON object. */
export function objectIn(part: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
