/** The report for a program, as JSON. */
import type { Renderer } from '../core/report.ts'
import { reportData } from './ordered.ts'
import { escaped } from './text.ts'

export const render: Renderer = (report) => `${escaped(JSON.stringify(reportData(report), null, 2))}\n`
