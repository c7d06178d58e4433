/** The report as metrics in Prometheus' text form, for a push gateway or a textfile collector; both add the time themselves. */
import type { Line, Renderer, Report } from '../core/report.ts'
import { clean } from './text.ts'

type Labels = readonly (readonly [name: string, value: string | undefined])[]
type Family = { readonly name: string; readonly help: string; readonly samples: readonly (readonly [Labels, number])[] }

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */
const quoted = (value: string): string =>
  `"${clean(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

function labelled(labels: Labels): string {
  const shown = labels.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]))
  return shown.length === 0 ? '' : `{${shown.join(',')}}`
}

const textOf = ({ name, help, samples }: Family): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples.map(([labels, value]) => `${name}${labelled(labels)} ${value}`),
    '',
  ].join('\n')

const statusOf = ({ status, accepted }: Line): string => (accepted === undefined ? status : 'accepted')

/** One number for each check in a namespace, and none for objects: their names come and go. What is well is only in the totals. */
function findings({ findings: lines }: Report): Family['samples'] {
  const counts = new Map<string, { readonly labels: Labels; count: number }>()
  for (const line of lines) {
    if (line.status === 'pass' || line.status === 'not-applicable') continue
    const { context, namespace } = line.subject
    const labels: Labels = [
      ['cluster', context],
      ['namespace', namespace],
      ['check', line.check],
      ['severity', line.severity],
      ['status', statusOf(line)],
    ]
    const key = labelled(labels)
    const held = counts.get(key) ?? { labels, count: 0 }
    counts.set(key, held)
    held.count += 1 + (line.others?.length ?? 0)
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { labels, count }]) => [labels, count])
}

const verdicts = ['healthy', 'unhealthy', 'inconclusive'] as const

export const render: Renderer = (report) =>
  [
    {
      name: 'wi_findings',
      help: 'Findings that are not well, by check and namespace.',
      samples: findings(report),
    },
    {
      name: 'wi_run_findings',
      help: 'All findings of the run, by status.',
      samples: Object.entries(report.totals).map(([status, count]) => [[['status', status]], count] as const),
    },
    {
      name: 'wi_verdict',
      help: '1 for the verdict of the run, 0 for the others.',
      samples: verdicts.map((verdict) => [[['verdict', verdict]], verdict === report.verdict ? 1 : 0] as const),
    },
    {
      name: 'wi_info',
      help: 'What the run was made with.',
      samples: [[[['version', report.tool.version]], 1] as const],
    },
  ]
    .map(textOf)
    .join('')
