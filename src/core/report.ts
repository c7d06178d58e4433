/** What a renderer sees, and nothing else: findings with their papers, totals, verdict. */
import type { CheckId, Meta } from './check.ts'
import type { Finding, Result, Status } from './finding.ts'
import { verdictOf } from './finding.ts'
import type { Subject } from './subject.ts'

/** Where a document stands that was given with -f: the path as it was given, and the line, from 1. */
export type Place = { readonly file: string; readonly line: number }

/** A finding with what a reader needs beside it, so that a report explains itself. */
export type Line = Finding &
  Pick<Meta, 'title' | 'section' | 'why' | 'links'> & {
    readonly fix?: Meta['fix']
    /** Only where the format asks for it: the document that shows it. */
    readonly place?: Place
  }

/** Who was examined: "shop/cart → arn:aws:iam::…:role/cart, eks us-west-2". */
export type Identity = { readonly subject: Subject; readonly identity: string; readonly place?: string }

export type Totals = { readonly [S in Status]: number }

export type Report = {
  readonly schema: 'kubectl-wi/report/v1'
  readonly tool: { readonly name: 'kubectl-wi'; readonly version: string }
  /** Where the facts came from: a context, a folder, one over the other. */
  readonly source: string
  readonly identities: readonly Identity[]
  readonly findings: readonly Line[]
  /** What would make it healthy; null where no plan was asked for. */
  readonly plan: null
  readonly totals: Totals
  readonly verdict: Result
  /** Documents that no rule recognised, and documents that could not be read, in words. */
  readonly notRecognised: readonly string[]
  readonly notes: readonly string[]
}

/** What `--fail-on` says: from which severity on a finding makes it unhealthy. */
export type FailOn = 'error' | 'warning' | 'never'

export type RenderOptions = {
  readonly color: boolean
  readonly width: number
  readonly verbose: boolean
  /** Left out: `error`. */
  readonly failOn?: FailOn
  /** The command that plans what puts it right. */
  readonly fix?: string
}
export type Renderer = (report: Report, options: RenderOptions) => string

export function totalsOf(findings: readonly Finding[], omitted = 0): Totals {
  const totals = { pass: 0, fail: 0, 'not-applicable': omitted, blocked: 0, unknown: 0, crashed: 0 }
  for (const { status, others } of findings) totals[status] += 1 + (others?.length ?? 0)
  return totals
}

export type Papers = ReadonlyMap<CheckId, Meta>

/** Puts the papers beside the findings. */
export function reportOf(parts: {
  readonly version: string
  readonly source: string
  readonly identities: readonly Identity[]
  readonly findings: readonly Finding[]
  /** Findings that were not applicable and are only counted. */
  readonly omitted?: number
  readonly papers: Papers
  readonly notRecognised: readonly string[]
  readonly notes: readonly string[]
}): Report {
  const { version, papers, findings, omitted, ...rest } = parts
  return {
    schema: 'kubectl-wi/report/v1',
    tool: { name: 'kubectl-wi', version },
    ...rest,
    findings: findings.map((finding) => {
      const meta = papers.get(finding.check)
      if (meta === undefined) throw new Error(`no papers for ${finding.check}`)
      const { title, section, why, links, fix } = meta
      return { ...finding, title, section, why, links, ...(fix === undefined ? {} : { fix }) }
    }),
    plan: null,
    totals: totalsOf(findings, omitted),
    verdict: verdictOf(findings),
  }
}

/** The same for every output format. */
export const exitCodes = { healthy: 0, unhealthy: 1, inconclusive: 3 } as const satisfies {
  readonly [R in Result]: number
}

/** The exit code under `--fail-on`: `warning` counts failed warnings too, `never` keeps 0 whatever was found. */
export function exitCodeOf(report: Pick<Report, 'verdict' | 'findings'>, failOn: FailOn): number {
  if (failOn === 'never') return 0
  const warned = report.findings.some(
    ({ status, severity, accepted }) => status === 'fail' && severity !== 'info' && accepted === undefined,
  )
  if (failOn === 'warning' && warned) return exitCodes.unhealthy
  return exitCodes[report.verdict]
}
