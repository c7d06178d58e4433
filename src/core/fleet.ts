/** Several clusters in one report: whom each finding is about says in which context. */
import { type Result, verdictOf } from './finding.ts'
import type { Line, Report, Totals } from './report.ts'
import { type Subject, subjectKey } from './subject.ts'

export type Member = { readonly context: string; readonly report: Report }

const within = (context: string) => {
  const marked = new WeakMap<Subject, Subject>()
  return (subject: Subject): Subject => {
    let one = marked.get(subject)
    if (one === undefined) {
      const { of } = subject
      // Keys name subjects of the same cluster.
      one = { ...subject, context, ...(of === undefined ? {} : { of: of.map((key) => `${key} in ${context}`) }) }
      marked.set(subject, one)
    }
    return one
  }
}

const summed = (all: readonly Totals[]): Totals =>
  all.reduce((sum, one) => ({
    pass: sum.pass + one.pass,
    fail: sum.fail + one.fail,
    'not-applicable': sum['not-applicable'] + one['not-applicable'],
    blocked: sum.blocked + one.blocked,
    unknown: sum.unknown + one.unknown,
    crashed: sum.crashed + one.crashed,
  }))

/** `unexamined`: sentences about contexts that nothing could be asked of; with one of them the whole is never healthy. */
export function fleetOf(members: readonly [Member, ...Member[]], unexamined: readonly string[]): Report {
  const findings = members.flatMap(({ context, report }): readonly Line[] => {
    const mark = within(context)
    return report.findings.map((line) => ({
      ...line,
      subject: mark(line.subject),
      ...(line.others === undefined ? {} : { others: line.others.map(mark) }),
    }))
  })
  const totals = summed(members.map(({ report }) => report.totals))
  const judged: Result = verdictOf(findings)
  // A cluster where nobody was examined is not covered by what was seen of the others.
  const blind = unexamined.length > 0 || members.some(({ report }) => report.verdict === 'inconclusive')
  return {
    ...members[0].report,
    source: members.map(({ report }) => report.source).join('; '),
    identities: members.flatMap(({ context, report }) => {
      const mark = within(context)
      return report.identities.map((identity) => ({ ...identity, subject: mark(identity.subject) }))
    }),
    findings,
    totals,
    verdict: judged === 'healthy' && blind ? 'inconclusive' : judged,
    notRecognised: [],
    notes: [
      ...unexamined,
      ...members.flatMap(({ context, report }) => report.notes.map((note) => `${context}: ${note}`)),
    ],
  }
}

/** The cluster that a subject is in, as a key. */
export const clusterKeyOf = ({ context }: Subject): string =>
  subjectKey({ kind: 'Cluster', name: 'cluster', ...(context === undefined ? {} : { context }) })
