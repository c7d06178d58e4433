/** The report as objects of OpenReports or, where a cluster serves only that, of PolicyReport: one a namespace and one for the cluster. */
import { stringify } from 'yaml'
import type { Json } from '../core/json.ts'
import type { Line, Renderer, Report } from '../core/report.ts'
import { acceptedWords } from './accepted.ts'
import { record } from './ordered.ts'
import { clean } from './text.ts'

type Kind = { readonly apiVersion: string; readonly namespaced: string; readonly wide: string; readonly named: boolean }

const kinds = {
  // https://github.com/openreports/reports-api
  openreports: { apiVersion: 'openreports.io/v1alpha1', namespaced: 'Report', wide: 'ClusterReport', named: true },
  // https://github.com/kubernetes-sigs/wg-policy-prototypes
  policyreport: {
    apiVersion: 'wgpolicyk8s.io/v1alpha2',
    namespaced: 'PolicyReport',
    wide: 'ClusterPolicyReport',
    named: false,
  },
} as const satisfies { readonly [format: string]: Kind }

const outcomes = ['pass', 'fail', 'warn', 'error', 'skip'] as const
type Outcome = (typeof outcomes)[number]

function outcomeOf({ status, severity, accepted }: Line): Outcome {
  if (accepted !== undefined) return 'skip'
  if (status === 'pass') return 'pass'
  if (status === 'fail') return severity === 'error' ? 'fail' : 'warn'
  return status === 'unknown' || status === 'crashed' ? 'error' : 'skip'
}

const severities = { error: 'high', warning: 'medium', info: 'info' } as const

const apiVersions: { readonly [kind: string]: string } = { ServiceAccount: 'v1', Pod: 'v1', Node: 'v1', Service: 'v1' }

/** etcd takes 1.5 MB for one object; beyond this many results, what passed is counted and left out. */
const mostResults = 1500

function resultOf(line: Line): Json {
  const { kind, namespace, name } = line.subject
  const lifts = (line.lacks ?? []).flatMap(({ lift }) => (lift === undefined ? [] : [lift]))
  return record([
    ['source', 'kubectl-wi'],
    ['policy', line.check],
    ['rule', line.messageId],
    ['category', line.section],
    ['severity', severities[line.severity]],
    ['result', outcomeOf(line)],
    ['scored', line.severity === 'error'],
    ['message', clean(line.message)],
    [
      'resources',
      kind === 'Cluster'
        ? undefined
        : [
            record([
              ['apiVersion', apiVersions[kind]],
              ['kind', kind],
              ['namespace', namespace],
              ['name', name],
            ]),
          ],
    ],
    [
      'properties',
      record([
        ['subject', kind === 'Cluster' ? 'the cluster' : undefined],
        ['title', line.title],
        ['remedy', line.remedy === undefined ? undefined : line.remedy.words.split('\n').map(clean).join('\n')],
        ['lift', lifts.length === 0 ? undefined : lifts.map(clean).join('\n')],
        ['accepted', line.accepted === undefined ? undefined : clean(acceptedWords(line.accepted))],
        ['link', line.links[0]],
      ]),
    ],
  ])
}

function objectOf(kind: Kind, lines: readonly [Line, ...Line[]], report: Report): Json {
  const { namespace, context } = lines[0].subject
  const shown = lines.length > mostResults ? lines.filter(({ status }) => status !== 'pass') : lines
  const counts = outcomes.map(
    (outcome) => [outcome, lines.filter((line) => outcomeOf(line) === outcome).length] as const,
  )
  return record([
    ['apiVersion', kind.apiVersion],
    ['kind', namespace === undefined ? kind.wide : kind.namespaced],
    [
      'metadata',
      record([
        ['name', 'kubectl-wi'],
        ['namespace', namespace],
        ['labels', { 'app.kubernetes.io/managed-by': 'kubectl-wi' }],
        [
          'annotations',
          record([
            ['kubectl-wi/verdict', report.verdict],
            ['kubectl-wi/version', report.tool.version],
            ['kubectl-wi/context', context],
          ]),
        ],
      ]),
    ],
    ['source', kind.named ? 'kubectl-wi' : undefined],
    ['summary', Object.fromEntries(counts)],
    ['results', shown.slice(0, mostResults).map(resultOf)],
  ])
}

const renderAs =
  (format: keyof typeof kinds): Renderer =>
  (report) => {
    const kind = kinds[format]
    const spaces = new Map<string, [Line, ...Line[]]>()
    for (const line of report.findings) {
      const key = JSON.stringify([line.subject.context, line.subject.namespace])
      const lines = spaces.get(key)
      if (lines === undefined) spaces.set(key, [line])
      else lines.push(line)
    }
    const objects = [...spaces.values()].map((lines) => objectOf(kind, lines, report))
    return objects.map((one) => `---\n${stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('')
  }

export const render = renderAs('openreports')
export const renderPolicyReport = renderAs('policyreport')
