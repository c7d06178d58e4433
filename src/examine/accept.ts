/** Which faults of a run somebody lives with: by an annotation on the object, or because the report of a former run has them already. */
import { readFile } from 'node:fs/promises'
import { accepting } from '../core/accepted.ts'
import type { Source } from '../core/fact.ts'
import type { Accepted } from '../core/finding.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import type { Line, Report } from '../core/report.ts'
import { type Subject, subjectKey } from '../core/subject.ts'
import { type Ignored, ignoreAnnotation, isOver, readIgnore } from '../domain/ignore-annotation.ts'
import { resourceOf } from '../domain/kubernetes-resources.ts'
import { kubernetes, seen } from '../domain/questions.ts'
import { nameOf } from '../report/names.ts'
import { usage } from './trouble.ts'

type Read = { readonly ignored: readonly Ignored[]; readonly problems: readonly string[] }

const nothing: Read = { ignored: [], problems: [] }

async function annotationOf(subject: Subject, source: Source): Promise<Read> {
  if (subject.kind === 'Cluster') return nothing
  const fact = await source.ask(kubernetes.get(resourceOf(subject.kind), subject.namespace, subject.name))
  if (fact.state !== 'known') return nothing
  const text = at(fact.value, 'metadata', 'annotations', ignoreAnnotation)
  return typeof text === 'string' ? readIgnore(text) : nothing
}

/** Whom a subject belongs to: a pod is its ServiceAccount's, whose annotation counts for it too. */
const above = ({ of = [] }: Subject): readonly Subject[] =>
  of.flatMap((key) => {
    const [, namespace, name] = /^ServiceAccount ([^/]+)\/(.+)$/u.exec(key) ?? []
    return namespace === undefined || name === undefined ? [] : [{ kind: 'ServiceAccount', namespace, name }]
  })

/** Takes the annotations of what is at fault into account; only those objects are asked for, which the run has seen already. */
export async function acceptAnnotated(report: Report, source: Source): Promise<Report> {
  const reads = new Map<string, Read>()
  const notes = new Set<string>()
  const readOf = async (subject: Subject): Promise<Read> => {
    const key = subjectKey(subject)
    const read = reads.get(key) ?? (await annotationOf(subject, source))
    reads.set(key, read)
    for (const problem of read.problems) notes.add(`${ignoreAnnotation} of ${nameOf(subject)}: ${problem}`)
    return read
  }
  const found = new Map<Line, { readonly entry: Ignored; readonly subject: Subject }>()
  for (const line of report.findings) {
    if (line.status !== 'fail') continue
    for (const subject of [line.subject, ...above(line.subject)]) {
      const entry = (await readOf(subject)).ignored.find(({ check }) => check === line.check)
      if (entry !== undefined) found.set(line, { entry, subject })
    }
  }
  const time = found.size === 0 ? undefined : await source.ask(seen.now())
  // Documents that do not tell when they were collected are looked at as of today.
  const now = time?.state === 'known' && typeof time.value === 'string' ? time.value : new Date().toISOString()
  const accepted = accepting(report, (line): Accepted | undefined => {
    const { entry, subject } = found.get(line) ?? {}
    if (entry === undefined || subject === undefined) return undefined
    if (!isOver(entry.until, now)) return { by: 'annotation', reason: entry.reason, until: entry.until }
    notes.add(
      `${ignoreAnnotation} of ${nameOf(subject)}: ${entry.check} was accepted until ${entry.until}, which is over`,
    )
    return undefined
  })
  return notes.size === 0 ? accepted : { ...accepted, notes: [...accepted.notes, ...notes] }
}

const faultKey = (check: string, messageId: string, subject: Subject): string =>
  `${check} ${messageId} ${subjectKey(subject)}`

function subjectIn(value: Json | undefined): Subject | undefined {
  const kind = textAt(value, 'kind')
  const name = textAt(value, 'name')
  const namespace = textAt(value, 'namespace')
  if (kind === undefined || name === undefined) return undefined
  const context = textAt(value, 'context')
  return {
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(context === undefined ? {} : { context }),
  }
}

const largest = 256 * 1024 * 1024

/** The faults in a report that `-o json` has written. Throws usage errors. */
async function faultsIn(file: string): Promise<ReadonlySet<string>> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw usage(`--baseline ${file}: it cannot be read; kubectl wi doctor -o json > ${file} writes one`)
  })
  if (text.length > largest) throw usage(`--baseline ${file}: it is too large`)
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    throw usage(`--baseline ${file}: it is no JSON; kubectl wi doctor -o json > ${file} writes one`)
  }
  if (!isObject(value) || value.schema !== 'kubectl-wi/report/v1')
    throw usage(`--baseline ${file}: it is no report of kubectl wi; kubectl wi doctor -o json > ${file} writes one`)
  return new Set(
    listAt(value, 'findings').flatMap((finding) => {
      const subject = subjectIn(at(finding, 'subject'))
      const check = textAt(finding, 'check')
      const isFault = textAt(finding, 'status') === 'fail' && check !== undefined && subject !== undefined
      return isFault ? [faultKey(check, textAt(finding, 'messageId') ?? '', subject)] : []
    }),
  )
}

export type Baseline = (report: Report) => Report

/** Reads it before anything is examined, so that a wrong name costs no minute. Throws usage errors. */
export async function baselineFrom(file: string | undefined): Promise<Baseline> {
  if (file === undefined) return (report) => report
  const known = await faultsIn(file)
  return (report) => {
    const accepted = accepting(report, ({ check, messageId = '', subject }) =>
      known.has(faultKey(check, messageId, subject)) ? { by: 'baseline', reason: `it stands in ${file}` } : undefined,
    )
    const now = new Set(
      report.findings.flatMap(({ check, messageId = '', subject, status }) =>
        status === 'fail' ? [faultKey(check, messageId, subject)] : [],
      ),
    )
    const gone = [...known].filter((key) => !now.has(key)).length
    const note = `${gone} of the ${known.size} faults in the baseline ${file} were not found any more`
    return gone === 0 ? accepted : { ...accepted, notes: [...accepted.notes, note] }
  }
}
