/** What a format needs beyond the report: where in the files a fault stands, and which form the cluster can take. */
import { listAt, textAt } from '../core/json.ts'
import type { Report } from '../core/report.ts'
import { kubernetes } from '../domain/questions.ts'
import type { Format } from '../report/index.ts'
import type { Ends } from './stoppable.ts'
import type { World, WorldFlags } from './world.ts'

const withPlace: ReadonlySet<Format> = new Set(['sarif', 'github', 'markdown', 'html'])

/** The report, with the lines of the files given with -f where the format shows them. */
export async function placedFor(
  formats: readonly Format[],
  report: Report,
  { file = [], namespace }: Pick<WorldFlags, 'file' | 'namespace'>,
  { stop, late }: Ends,
): Promise<Report> {
  if (file.length === 0 || !formats.some((format) => withPlace.has(format))) return report
  const { withPlaces } = await import('./places.ts')
  return withPlaces(report, file, { namespace, signal: AbortSignal.any([stop, late]) })
}

/** A cluster that serves PolicyReport and not its successor gets what it can take: https://openreports.io */
export async function formatFor(
  format: Format,
  { source, documents }: Pick<World, 'source' | 'documents'>,
): Promise<Format> {
  if (format !== 'openreports' || documents) return format
  const served = await source.ask(kubernetes.nonResource('/apis'))
  if (served.state !== 'known') return format
  const groups = listAt(served.value, 'groups').map((group) => textAt(group, 'name'))
  return groups.includes('wgpolicyk8s.io') && !groups.includes('openreports.io') ? 'policyreport' : format
}
