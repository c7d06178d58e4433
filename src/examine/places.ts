/** Puts beside each fault the document that shows it: what it was judged by, or else whom it is about. */
import type { Question } from '../core/fact.ts'
import type { Line, Place, Report } from '../core/report.ts'
import type { Subject } from '../core/subject.ts'
import { resourceOf } from '../domain/kubernetes-resources.ts'
import { aws, kubernetes } from '../domain/questions.ts'
import { type Places, placesIn } from '../sources/documents/places.ts'

/** Beyond so many faults nobody reads the places any more. */
const mostPlaced = 2000

const aboutSubject = ({ kind, namespace, name }: Subject): Question | undefined => {
  if (kind === 'Cluster') return undefined
  return kind === 'Role' ? aws.role(undefined, name) : kubernetes.get(resourceOf(kind), namespace, name)
}

function placeOf({ evidence, subject }: Line, places: Places): Place | undefined {
  // A list is of many documents: none of them is the one.
  for (const { question, path } of evidence)
    if (!question.call.endsWith('/list')) {
      const place = places(question, path)
      if (place !== undefined) return place
    }
  const question = aboutSubject(subject)
  return question === undefined ? undefined : places(question, 'metadata.name')
}

/** `paths`: as they were given with -f. */
export async function withPlaces(
  report: Report,
  paths: readonly string[],
  options: { readonly namespace?: string | undefined; readonly signal: AbortSignal },
): Promise<Report> {
  const { namespace, signal } = options
  const places = await placesIn(paths, { signal, ...(namespace === undefined ? {} : { namespace }) })
  let placed = 0
  const findings = report.findings.map((line) => {
    const isTold = line.status !== 'pass' && line.status !== 'not-applicable'
    if (!isTold || placed >= mostPlaced) return line
    placed += 1
    const place = placeOf(line, places)
    return place === undefined ? line : { ...line, place }
  })
  return { ...report, findings }
}
