/** Takes texts apart into documents: JSON, YAML of several documents, a list of documents, a case in one file. */
import { LineCounter, parseAllDocuments } from 'yaml'
import { isList, type Json } from '../../core/json.ts'
import { duplicateMembers } from '../../domain/json-text.ts'
import { type Document, folderOf, type Problem, stemOf, type TextFile } from './document.ts'

const caseFile = /\.case\.ya?ml$/i
const nameComment = /^#\s*file:\s*(\S.*?)\s*$/

/**
 * The files that a `*.case.yaml` holds: its first document is the expectation and stays out, a comment `# file: NAME` names the
 * document that it stands above. The others are named after the case itself.
 */
export function filesOf(file: TextFile): readonly TextFile[] {
  if (!caseFile.test(file.name)) return [file]
  type Chunk = { name: string | undefined; readonly line: number; readonly lines: string[]; hasContent: boolean }
  const chunks: Chunk[] = []
  let chunk: Chunk = { name: undefined, line: 1, lines: [], hasContent: false }
  /** A name that stands above the separator. */
  let next: string | undefined
  for (const [index, line] of file.text.split(/\r?\n/).entries()) {
    if (/^---(?:\s|$)/.test(line)) {
      chunks.push(chunk)
      const rest = line.slice(3).trimStart()
      chunk = {
        name: next ?? (chunk.hasContent ? undefined : chunk.name),
        line: index + 1,
        lines: [rest],
        hasContent: rest !== '' && !rest.startsWith('#'),
      }
      next = undefined
      continue
    }
    const named = nameComment.exec(line)?.[1]
    if (named !== undefined && chunk.hasContent) next = named
    else if (named !== undefined) chunk.name = named
    else if (line.trim() !== '' && !line.startsWith('#')) chunk.hasContent = true
    chunk.lines.push(line)
  }
  chunks.push(chunk)
  return chunks.slice(1).flatMap(({ name, line, lines, hasContent }) => {
    if (!hasContent) return []
    const inside = name ?? file.name.replace(caseFile, '.yaml')
    const text = lines.join('\n')
    const start = line + (file.line ?? 1) - 1
    if (isStructured(inside)) return [{ name: inside, text, line: start }]
    const bare = text.replace(/^(?:[ \t]*(?:#[^\n]*)?\n)+/, '')
    const above = text.slice(0, text.length - bare.length).split('\n').length - 1
    return [{ name: inside, text: plainText(bare), line: start + above }]
  })
}

/** The text of a document that is no YAML, which may stand as it is or be written as a YAML text. */
function plainText(bare: string): string {
  if (!/^(?:[|>][+-]?\s*\n|["'])/.test(bare)) return bare
  const [document] = parseAllDocuments(bare, { logLevel: 'silent' })
  const value: unknown = document?.errors.length === 0 ? document.toJS() : undefined
  return typeof value === 'string' ? value : bare
}

export const isStructured = (name: string): boolean => /\.(?:ya?ml|json)$/i.test(name)

const oneOf = (file: TextFile, value: Json, line: number, text: () => string): Document => ({
  file: file.name,
  stem: stemOf(file.name),
  folder: folderOf(file.name),
  value,
  line,
  duplicates: () => duplicateMembers(text(), line),
})

/** A list at the top is a file of several documents: none of the tools prints one as a document of its own but the az lists. */
function documentsOf(file: TextFile, value: Json, line: number, text: () => string): readonly Document[] {
  if (value === null) return []
  if (isList(value) && value.length > 0)
    return value.map((one) => ({ ...oneOf(file, one, line, () => '{}'), ofList: true }))
  return [oneOf(file, value, line, text)]
}

/** The text is walked once to be sure: no answer is walked deeper than this. */
const deepest = 200

function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 123 || code === 91) depth += 1
    else if (code === 125 || code === 93) depth -= 1
    if (depth > deepest) return true
  }
  return false
}

/** The documents of one text, and what is wrong with it; the good documents beside a broken one are kept. Never throws. */
export function parseTexts(file: TextFile): {
  readonly documents: readonly Document[]
  readonly problems: readonly Problem[]
} {
  const { name, text } = file
  const start = file.line ?? 1
  const first = /\S/.exec(text)?.[0]
  if (first === undefined) return { documents: [], problems: [{ file: name, message: `${name}: it is empty` }] }
  if ((first === '{' || first === '[') && !isTooDeep(text)) {
    try {
      const value: Json = JSON.parse(text)
      return { documents: documentsOf(file, value, start, () => text), problems: [] }
    } catch (error) {
      // Read again below, where errors have a place and YAML may have looked like JSON; that takes too long for a large text.
      if (text.length > largestReread) return { documents: [], problems: [jsonProblem(file, start, error)] }
    }
  }
  if (text.length > largestYaml)
    return {
      documents: [],
      problems: [
        {
          file: name,
          message: `${name}: it is YAML of more than ${largestYaml >> 20} MiB, which takes too long to read; print it with -o json`,
        },
      ],
    }
  try {
    return parseYaml(file, start)
  } catch {
    return {
      documents: [],
      problems: [{ file: name, message: `${name}: it is nested too deeply or refers to itself, and was not read` }],
    }
  }
}

/** YAML takes about a second for two megabytes, JSON for two hundred. */
const largestYaml = 24 * 1024 * 1024
const largestReread = 4 * 1024 * 1024

function jsonProblem({ name }: TextFile, start: number, error: unknown): Problem {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(error instanceof Error ? error.message : '') ?? []
  if (line === undefined) return { file: name, message: `${name}: it is not JSON, or ends in the middle` }
  const at = { line: Number(line) + start - 1, column: Number(column) }
  return { file: name, ...at, message: `${name}:${at.line}:${at.column}: it is not JSON` }
}

function parseYaml(file: TextFile, start: number): ReturnType<typeof parseTexts> {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(file.text, {
    uniqueKeys: false,
    lineCounter: lines,
    logLevel: 'silent',
    prettyErrors: false,
  })
  const documents: Document[] = []
  const problems: Problem[] = []
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const [error] = document.errors
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0])
      const at = { line: line + start - 1, column: col }
      problems.push({
        file: file.name,
        ...at,
        message: `${file.name}:${at.line}:${at.column}: ${reasonOf(error.code, error.message)}`,
      })
      continue
    }
    const [from, , to] = document.range
    const value: Json = document.toJS({ maxAliasCount: 100 })
    documents.push(...documentsOf(file, value, lines.linePos(from).line + start - 1, () => file.text.slice(from, to)))
  }
  return { documents, problems }
}

/** The parser's words without what stands in the file: that may be a secret. */
function reasonOf(code: string, message: string): string {
  const words = message.split('\n')[0] ?? ''
  if (words.includes('call stack')) return 'it is nested too deeply from here on'
  return /["'`:]\s*\S{12,}|[A-Za-z0-9+/_=-]{24,}/.test(words)
    ? `it is not YAML or JSON (${code.toLowerCase().replaceAll('_', ' ')})`
    : words
}
