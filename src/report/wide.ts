/** One row a finding, as kubectl prints tables: for grep, and for the eye that looks for a column. */
import type { Renderer } from '../core/report.ts'
import { nameOf } from './names.ts'
import { markOf, paintOf } from './paint.ts'
import { clean } from './text.ts'

export const render: Renderer = (report, { color }) => {
  const paint = paintOf(color)
  const heads = ['STATUS', 'SEVERITY', 'CHECK', 'SUBJECT', 'MESSAGE'] as const
  const rows = report.findings.map((line) => ({
    cells: [
      line.accepted === undefined ? line.status : 'accepted',
      line.severity,
      line.check,
      nameOf(line.subject),
      clean(line.message),
    ],
    role: markOf(line).role,
  }))
  const widths = heads.map((head, column) =>
    rows.reduce((most, { cells }) => Math.max(most, (cells[column] ?? '').length), head.length),
  )
  const laid = (cells: readonly string[]): readonly string[] =>
    cells.map((cell, column) => (column === heads.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
  const lines = [
    paint.strong(laid(heads).join('   ')),
    ...rows.map(({ cells, role }) => {
      const [status = '', ...rest] = laid(cells)
      return [paint[role](status), ...rest].join('   ')
    }),
  ]
  return `${lines.join('\n')}\n`
}
