/** Findings put together: one cause is one paragraph, whatever it holds up and however many subjects it hits. */
import type { CheckId } from '../core/check.ts'
import type { Lack } from '../core/finding.ts'
import { clusterKeyOf } from '../core/fleet.ts'
import { canonical } from '../core/json.ts'
import type { Line, Report } from '../core/report.ts'
import { related, type Subject, subjectKey } from '../core/subject.ts'

/** Findings of one check that say the same; `held` are the titles that wait for it, each with the subjects they wait on. */
export type Cause = {
  readonly line: Line
  readonly subjects: readonly Subject[]
  /** The findings that say the same; what puts each right may name another subject. */
  readonly lines: readonly Line[]
  readonly held: readonly Held[]
  /** Causes of the same kind in other words (another name, another date); only their subjects are told. */
  readonly alike: readonly Cause[]
}
export type Held = { readonly title: string; readonly subjects: readonly Subject[] }

/** One thing that could not be seen, and the checks that it leaves open. */
export type Gap = { readonly lack: Lack; readonly open: readonly Held[]; readonly alike: readonly Gap[] }

/** Under one heading, check by check in the order of the report. */
export type Section = { readonly name: string; readonly parts: readonly Part[] }
/** What one check has said: its causes in full, then whom it found well, and whom it did not apply to. */
export type Part = {
  readonly causes: readonly Cause[]
  readonly passed: Group | undefined
  readonly idle: Group | undefined
}
export type Group = { readonly line: Line; readonly lines: readonly Line[]; readonly subjects: readonly Subject[] }

export type Told = { readonly sections: readonly Section[]; readonly gaps: readonly Gap[] }

/** Above this many paragraphs of the same kind, the others are only counted. */
const mostAlike = 3

function groupBy<T>(items: readonly T[], key: (item: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return [...groups.values()]
}

/** Where a check has said that it cannot tell, and a fact that it wanted says why and what to do, the fact speaks. */
function lacksOf(line: Line): readonly Lack[] {
  const lacks = line.lacks ?? [{ what: line.check, why: 'undecided', detail: line.message }]
  const facts = lacks.filter(({ why }) => why !== 'undecided')
  return facts.some(({ lift }) => lift !== undefined)
    ? lacks.filter(({ why, lift }) => why !== 'undecided' || lift !== undefined)
    : lacks
}

const isCause = ({ status }: Line): boolean => status === 'fail' || status === 'crashed'

/** The failed finding behind a blocked one, through others that are blocked themselves. */
function rootFinder(findings: readonly Line[]): (blocked: Line) => Line | undefined {
  const shelves = new Map<CheckId, Map<string, Line[]>>()
  for (const line of findings) {
    if (!isCause(line) && line.status !== 'blocked') continue
    const shelf = shelves.get(line.check) ?? new Map<string, Line[]>()
    shelves.set(line.check, shelf)
    for (const key of [subjectKey(line.subject), ...(line.subject.of ?? [])]) {
      const held = shelf.get(key)
      if (held === undefined) shelf.set(key, [line])
      else held.push(line)
    }
  }
  const candidates = (id: CheckId, subject: Subject): readonly Line[] => {
    const shelf = shelves.get(id)
    if (shelf === undefined) return []
    const keys =
      subject.kind === 'Cluster' ? shelf.keys() : [subjectKey(subject), clusterKeyOf(subject), ...(subject.of ?? [])]
    return [...keys].flatMap((key) => shelf.get(key) ?? []).filter((line) => related(line.subject, subject))
  }
  const rootOf = (line: Line, seen: ReadonlySet<CheckId>): Line | undefined => {
    for (const id of line.blockedBy ?? []) {
      if (seen.has(id)) continue
      const found = candidates(id, line.subject)
      const cause = found.find(isCause)
      if (cause !== undefined) return cause
      for (const next of found) {
        const root = rootOf(next, new Set([...seen, id]))
        if (root !== undefined) return root
      }
    }
    return undefined
  }
  return (line) => rootOf(line, new Set([line.check]))
}

const everybody = ({ subject, others }: Line): readonly Subject[] => (others ? [subject, ...others] : [subject])

const heldOf = (lines: readonly Line[]): readonly Held[] =>
  groupBy(lines, (line) => line.check).map((group) => ({
    title: group[0].title,
    subjects: group.flatMap(everybody),
  }))

/** Beyond the third of a kind, the rest goes along with the first. */
function fold<T extends { readonly alike: readonly T[] }>(
  items: readonly T[],
  kind: (item: T) => string,
): readonly T[] {
  return groupBy(items, kind).flatMap((group) =>
    group.length <= mostAlike ? group : [{ ...group[0], alike: group.slice(1) }],
  )
}

/** From what the whole cluster shares to what one workload does; headings that are not here come after, as they occur. */
const headings = ['Issuer', 'Trust', 'Workload']
const rankOf = (name: string): number => (headings.includes(name) ? headings.indexOf(name) : headings.length)

const wording = (line: Line): string =>
  `${line.check} ${line.messageId ?? ''} ${line.message} ${line.evidence.map((one) => `${one.path} ${canonical(one.observed)}`).join(' ')}`

/** The report as a person reads it: by heading, one cause one paragraph, what was not seen once at the end. */
export function tell(report: Report): Told {
  const findings = report.findings.filter(({ accepted }) => accepted === undefined)
  const rootOf = rootFinder(findings)
  const heldBy = new Map<Line, Line[]>()
  const orphans: Line[] = []
  for (const line of findings) {
    if (line.status !== 'blocked') continue
    const root = rootOf(line)
    const held = root === undefined ? orphans : heldBy.get(root)
    if (held !== undefined) held.push(line)
    else if (root !== undefined) heldBy.set(root, [line])
  }

  const sections = groupBy(findings, (line) => line.section).map((lines): Section => {
    const parts = groupBy(lines, (line) => line.check).map((ofCheck): Part => {
      const causes = groupBy(ofCheck.filter(isCause), wording).map(
        (group): Cause => ({
          line: group[0],
          subjects: group.map((line) => line.subject),
          lines: group,
          held: heldOf(group.flatMap((line) => heldBy.get(line) ?? [])),
          alike: [],
        }),
      )
      const all = (status: Line['status']): Group | undefined => {
        const group = ofCheck.filter((line) => line.status === status)
        const [line] = group
        return line === undefined
          ? undefined
          : {
              line,
              lines: group,
              subjects: group.flatMap(everybody),
            }
      }
      return {
        causes: fold(causes, ({ line }) => line.messageId ?? line.status),
        passed: all('pass'),
        idle: all('not-applicable'),
      }
    })
    return { name: lines[0].section, parts }
  })

  const open = [...findings.filter((line) => line.status === 'unknown'), ...orphans].flatMap((line) =>
    lacksOf(line).map((lack) => ({ line, lack })),
  )
  const gaps = groupBy(open, ({ lack }) => `${lack.detail}\n${lack.lift ?? lack.what}`).map(
    (group): Gap => ({ lack: group[0].lack, open: heldOf(group.map(({ line }) => line)), alike: [] }),
  )
  const kind = ({ lack, open: held }: Gap): string =>
    [lack.what, lack.why, ...held.map(({ title }) => title)].join('\n')
  return { sections: [...sections].sort((a, b) => rankOf(a.name) - rankOf(b.name)), gaps: fold(gaps, kind) }
}
