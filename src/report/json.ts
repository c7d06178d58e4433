/** The report for a program, as JSON: in pieces, since that of a large cluster is larger than any one text should be. */
import type { Renderer, Report } from '../core/report.ts'
import { lineData, reportData } from './ordered.ts'
import { escaped } from './text.ts'

/** Some hundred KB at a time. */
const abreast = 200
/** Begins a line only where it is the report's own member: in texts a line break is escaped. */
const frame = '\n  "findings": ['

/** What `render` returns, piece by piece; each is made when it is asked for. */
export function* pieces(report: Report): Generator<string> {
  const { findings } = report
  const whole = JSON.stringify(reportData({ ...report, findings: [] }), null, 2)
  const cut = whole.indexOf(`${frame}]`) + frame.length
  yield escaped(whole.slice(0, cut))
  for (let from = 0; from < findings.length; from += abreast) {
    // As a member of the report, so that each line is indented as it will stand there.
    const part = JSON.stringify({ findings: findings.slice(from, from + abreast).map(lineData) }, null, 2)
    yield escaped(
      `${from === 0 ? '' : ','}${part.slice(part.indexOf(frame) + frame.length, part.lastIndexOf('\n  ]'))}`,
    )
  }
  yield `${escaped(`${findings.length === 0 ? '' : '\n  '}${whole.slice(cut)}`)}\n`
}

export const render: Renderer = (report) => [...pieces(report)].join('')
