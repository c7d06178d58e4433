/** One run of map: the links of one cluster or of several, put together and printed. */
import { Errors } from '@oclif/core'
import { byLink, type IdentityMap, type Link, remarksOn } from '../core/identity-map.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { type MapFormat, mapRenderers } from '../report/map.ts'
import { clean } from '../report/text.ts'
import { contextsOf } from './fleet.ts'
import { awsLinks } from './map-aws.ts'
import { azureLinks } from './map-azure.ts'
import { googleLinks } from './map-gcp.ts'
import { type Ground, groundOf } from './map-ground.ts'
import { notThere } from './named.ts'
import type { Ends } from './stoppable.ts'
import { usage } from './trouble.ts'
import { openWorld, type WorldFlags } from './world.ts'

type MapFlags = Omit<WorldFlags, 'exchange'> & {
  readonly contexts?: string | undefined
  readonly 'all-contexts'?: boolean | undefined
  readonly cloud?: 'aws' | 'azure' | 'gcp' | undefined
  readonly output: MapFormat
  readonly 'no-color': boolean
}

type Setting = { readonly version: string; readonly process: NodeJS.Process }
type Part = { readonly source: string; readonly links: readonly Link[]; readonly issuer: string | undefined }

const interrupted = 130
const inconclusive = 3

const clouds: { readonly [C in Link['cloud']]: (ground: Ground) => Promise<readonly Link[]> } = {
  aws: awsLinks,
  azure: azureLinks,
  gcp: googleLinks,
}

async function partOf(flags: MapFlags, version: string, ends: Ends, unseen: (words: string) => void): Promise<Part> {
  // No token is minted: the issuer is learnt from what else shows it.
  const world = await openWorld({ ...flags, exchange: false }, { version, ends })
  try {
    for (const problem of world.problems) unseen(problem)
    const own = flags.namespace ?? world.namespace
    const namespace = flags['all-namespaces'] ? undefined : own
    const ground = await groundOf(world.source, { namespace, documents: world.documents }, unseen)
    const missing = await notThere(world.source, [], { namespace, nobody: ground.accounts.length === 0 })
    if (missing.length > 0) throw usage(missing.join('\n'))
    const wanted = flags.cloud === undefined ? Object.values(clouds) : [clouds[flags.cloud]]
    const links = await Promise.all(wanted.map((linksOf) => linksOf(ground)))
    return { source: world.described, links: links.flat(), issuer: ground.issuer }
  } finally {
    world.close()
  }
}

/** A trust of another cluster is that cluster's own link where it is on the map itself. */
const unlessOnTheMap = (parts: readonly Part[], link: Link): boolean =>
  link.state !== 'elsewhere' || !parts.some(({ issuer }) => issuer !== undefined && issuer === link.issuer)

/** Prints the map, and returns the exit code. Throws usage errors. */
export async function map(flags: MapFlags, { version, process }: Setting): Promise<number> {
  const contexts = await contextsOf(flags)
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const ends = { stop: stop.signal, late: AbortSignal.timeout(flags.timeout) }
  const unseen = new Set<string>()
  const parts: Part[] = []
  for (const context of contexts ?? [undefined]) {
    const say = (words: string): void => {
      unseen.add(context === undefined ? words : `${context}: ${words}`)
    }
    try {
      const part = await partOf(context === undefined ? flags : { ...flags, context }, version, ends, say)
      const marked = context === undefined ? part.links : part.links.map((link) => ({ ...link, context }))
      parts.push({ ...part, links: marked })
    } catch (error) {
      if (contexts === undefined || !(error instanceof Errors.CLIError)) throw error
      say(`it was not examined: ${error.message}`)
    }
  }
  process.off('SIGINT', onInterrupt)
  if (stop.signal.aborted) {
    process.stderr.write('stopped before the map was whole.\n')
    return interrupted
  }
  if (parts.length === 0) throw usage([...unseen].join('\n'))
  const links = parts.flatMap((part) => part.links.filter((link) => unlessOnTheMap(parts, link))).sort(byLink)
  const whole: IdentityMap = {
    schema: 'kubectl-wi/map/v1',
    source: parts.map(({ source }) => source).join('; '),
    links,
    remarks: remarksOn(links),
    unseen: [...unseen],
  }
  const render = await mapRenderers[flags.output]()
  const color = wantsColor(process.stdout, process.env, flags['no-color'])
  process.stdout.write(render(whole, { color, width: Math.max(60, columnsOf(process.stdout, process.env)) }))
  if (flags.output !== 'table' && flags.output !== 'json')
    for (const words of unseen) process.stderr.write(`not seen: ${clean(words)}\n`)
  return unseen.size === 0 ? 0 : inconclusive
}
