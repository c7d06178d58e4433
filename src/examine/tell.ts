/** Sentences of a run that acts, one after the other as things happen. */
import { columnsOf } from '../flags/output.ts'
import { hung } from '../report/labelled.ts'

const margin = 4

/** Wrapped to the width of the stream; `mark` stands before it, and what follows hangs below. */
export function tell(stream: NodeJS.WriteStream, sentence: string, mark = ''): void {
  const width = Math.max(60, columnsOf(stream, process.env))
  const [first = '', ...more] = hung(mark, sentence, width - (mark === '' ? margin : 0))
  stream.write(`${[first, ...more.map((line) => (mark === '' ? ' '.repeat(margin) + line : line))].join('\n')}\n`)
}
