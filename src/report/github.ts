/** The report as GitHub's workflow commands: an annotation for each fault, in the file that shows it where there is one. */
import type { Line, Renderer } from '../core/report.ts'
import { closingSentence, liftsOf } from './closing.ts'
import { nameOf } from './names.ts'
import { clean } from './text.ts'

// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
const data = (text: string): string =>
  text.split('\n').map(clean).join('\n').replaceAll('%', '%25').replaceAll('\n', '%0A')
const property = (text: string): string => data(clean(text)).replaceAll(':', '%3A').replaceAll(',', '%2C')

const commands = { error: 'error', warning: 'warning', info: 'notice' } as const satisfies {
  readonly [S in Line['severity']]: string
}

/** What was not seen is told one by one only where the verdict hangs on it: GitHub shows ten annotations of a kind. */
function commandOf({ status, severity, accepted }: Line, open: boolean): 'error' | 'warning' | 'notice' | undefined {
  if (accepted !== undefined) return undefined
  if (status === 'fail') return commands[severity]
  if (status === 'crashed') return 'error'
  return status === 'unknown' && severity === 'error' && open ? 'warning' : undefined
}

function annotation(line: Line, open: boolean): readonly string[] {
  const command = commandOf(line, open)
  if (command === undefined) return []
  const { place, subject, message, remedy, lacks = [] } = line
  const at =
    place === undefined ? [] : [`file=${property(place.file.replace(/^(?:\.\/)+/u, ''))}`, `line=${place.line}`]
  const title = `title=${property(`${line.check} (${nameOf(subject)})`)}`
  const next =
    remedy?.words ?? lacks.flatMap(({ lift }) => (lift === undefined ? [] : [`To see it: ${lift}`])).join('\n')
  const text = [message, ...(next === '' ? [] : [next]), line.links[0] ?? ''].join('\n')
  return [`::${command} ${[...at, title].join(',')}::${data(text)}`]
}

export const render: Renderer = (report) => {
  const lifts = liftsOf(report.findings)
  const closing = clean(closingSentence(report))
  return `${[...report.findings.flatMap((line) => annotation(line, report.verdict === 'inconclusive')), closing, ...lifts.map((lift) => clean(`to see more: ${lift}`))].join('\n')}\n`
}
