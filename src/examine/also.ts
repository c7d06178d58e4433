/** `--also FORMAT=FILE`: the report of one run in further formats, each in a file of its own. */
import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { RenderOptions, Report } from '../core/report.ts'
import { type Format, piecesOf, renderers } from '../report/index.ts'
import { clean } from '../report/text.ts'
import { usage } from './trouble.ts'

export type Also = { readonly format: Format; readonly file: string }

const isFormat = (word: string): word is Format => Object.hasOwn(renderers, word)

/** Throws usage errors. */
export function alsoIn(words: readonly string[] = []): readonly Also[] {
  return words.map((word) => {
    const cut = word.indexOf('=')
    const format = word.slice(0, Math.max(cut, 0))
    const file = word.slice(cut + 1)
    if (!isFormat(format) || file === '')
      throw usage(`--also ${word} is not FORMAT=FILE, where FORMAT is one of ${Object.keys(renderers).join(', ')}`)
    return { format, file }
  })
}

/** Each file whole or not at all: a collector of metrics may read it at any time. Throws usage errors. */
export async function writeAlso(report: Report, all: readonly Also[], options: RenderOptions): Promise<void> {
  for (const { format, file } of all) {
    const text = [...(await piecesOf(format, report, options))].join('')
    const beside = `${file}.${randomBytes(4).toString('hex')}`
    try {
      writeFileSync(beside, text)
      renameSync(beside, file)
    } catch (error) {
      if (existsSync(beside)) rmSync(beside)
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
      throw usage(`--also ${format}=${clean(file)}: the file cannot be written${code}`)
    }
  }
}
