/** Reads a case into its documents as they stand: a folder, one file, or a `*.case.yaml` that holds several. */
import { isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { isTokenShaped, readToken } from '../domain/token-claims.ts'
import type { Document, TextFile } from '../sources/documents/document.ts'
import { readFiles } from '../sources/documents/files.ts'
import { filesOf, parseTexts } from '../sources/documents/texts.ts'

/** `stem` is the file's name without its ending: it names what some tools' output does not. */
export type CaseDocument = Pick<Document, 'file' | 'stem'> & { readonly value: JsonObject }
/** The texts of a case by file name, where it does not come from the disk. */
export type CaseFiles = { readonly [name: string]: string }
/** A token as far as it may be kept: its signature has been dropped. */
export type Claims = { readonly header: JsonObject; readonly claims: JsonObject }

export type CaseDocuments = { readonly documents: readonly CaseDocument[]; readonly tokens: readonly Claims[] }

/** A case that cannot be served at all, in one sentence for a person. */
export class CaseError extends Error {}

async function textsAt(place: string | CaseFiles): Promise<readonly TextFile[]> {
  if (typeof place !== 'string') return Object.entries(place).map(([name, text]) => ({ name, text }))
  const { files, problems } = await readFiles([place])
  const [problem] = problems
  if (problem !== undefined) throw new CaseError(`The case cannot be served: ${problem.message}`)
  return files
}

/** The documents of a case. Throws CaseError where there is nothing to serve or something cannot be read. */
export async function readCase(place: string | CaseFiles): Promise<CaseDocuments> {
  const documents: CaseDocument[] = []
  const tokens: Claims[] = []
  for (const file of (await textsAt(place)).flatMap(filesOf)) {
    if (/\.jwt$/i.test(file.name)) tokens.push(...claimsIn(file.text.trim()))
    else if (/\.(ya?ml|json)$/i.test(file.name)) {
      const parsed = parseTexts(file)
      const [problem] = parsed.problems
      if (problem !== undefined) throw new CaseError(`The case cannot be served: ${problem.message}`)
      for (const { file: shown, stem, value } of parsed.documents) {
        tokens.push(...claimsIn(value))
        if (isObject(value)) documents.push({ file: shown, stem, value })
      }
    }
  }
  if (documents.length === 0 && tokens.length === 0)
    throw new CaseError('The case cannot be served: it holds no document of a cluster or a cloud.')
  return { documents, tokens }
}

/** What a token or a document of claims says; nothing for everything else. */
function claimsIn(value: Json): readonly Claims[] {
  if (typeof value === 'string') {
    const reading = isTokenShaped(value) ? readToken(value) : undefined
    return reading?.state === 'read' ? [{ header: reading.header, claims: reading.claims }] : []
  }
  if (!isObject(value)) return []
  const minted = value.kind === 'TokenRequest' ? textAt(value, 'status', 'token') : undefined
  if (minted !== undefined) return claimsIn(minted)
  const claims = isObject(value.payload) ? value.payload : isObject(value.claims) ? value.claims : value
  if (textAt(claims, 'iss') === undefined || textAt(claims, 'sub') === undefined) return []
  return [{ header: isObject(value.header) ? value.header : {}, claims }]
}
