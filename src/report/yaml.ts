/** The report for a program, as YAML: the same data in the same order as the JSON. */
import { Document, visit } from 'yaml'
import type { Renderer } from '../core/report.ts'
import { reportData } from './ordered.ts'
import { escaped, hasUnseen } from './text.ts'

export const render: Renderer = (report) => {
  const document = new Document(reportData(report), { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, scalar) => {
      // Only a double-quoted scalar can spell out what must not reach a terminal as it is.
      if (typeof scalar.value === 'string' && hasUnseen(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  return escaped(document.toString({ lineWidth: 0, doubleQuotedAsJSON: true }))
}
