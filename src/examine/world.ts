/** Opens what a run looks at: documents, the live cluster and its clouds, or the one laid over the other. */
import { statSync } from 'node:fs'
import { type Source, unknown } from '../core/fact.ts'
import { type JsonObject, textAt } from '../core/json.ts'
import { exchangeCalls } from '../domain/exchange-calls.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { type Ends, stoppable } from './stoppable.ts'
import { asTrouble, usage } from './trouble.ts'

export type WorldFlags = KubeconfigValues & {
  readonly file?: readonly string[] | undefined
  readonly overlay: boolean
  readonly exchange: boolean
  /** Whether shells may be started in pods. */
  readonly exec?: boolean
  readonly 'all-namespaces': boolean
  readonly 'cloud-credentials': 'default' | 'none'
  readonly concurrency: number
  /** Milliseconds for the whole run. */
  readonly timeout: number
}

export type Opened = {
  readonly source: Source
  /** Where the facts come from, for the head of the report. */
  readonly described: string
  /** The namespace of the context; undefined for documents alone. */
  readonly namespace: string | undefined
  readonly close: () => void
}

export type World = Opened & {
  readonly documents: boolean
  readonly notRecognised: readonly string[]
  /** What `collect` was asked to examine when it wrote these documents. */
  readonly run?: JsonObject
  readonly problems: readonly string[]
}

/** How the live world may be asked; left out, as its own defaults have it. */
type Manner = Partial<
  Pick<WorldFlags, 'exchange' | 'exec' | 'all-namespaces' | 'cloud-credentials' | 'concurrency' | 'timeout'>
> & {
  readonly signal?: AbortSignal
  readonly version: string
}

/** The cluster of the kubeconfig, and the clouds with this machine's own credentials. Throws usage errors. */
export async function openLive(flags: KubeconfigValues, manner: Manner): Promise<Opened> {
  const { liveSource } = await import('../sources/live/index.ts')
  const { limited } = await import('../sources/limited.ts')
  const { withheld } = await import('../sources/withheld.ts')
  const { concurrency, timeout } = manner
  try {
    const { source, describe, namespace, close } = await liveSource({
      flags: clusterChoice(flags),
      wide: manner['all-namespaces'],
      exec: manner.exec,
      concurrency,
      signal: manner.signal,
      version: manner.version,
    })
    const limits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      // One long list may take all the time there is; single requests have limits of their own.
      ...(timeout === undefined ? {} : { timeout }),
    }
    const cloudCredentials = manner['cloud-credentials'] === 'none' ? 'none' : 'standard'
    const asked = withheld(limited(source, limits), { exchange: manner.exchange, cloudCredentials })
    return { source: asked, described: describe, namespace, close }
  } catch (error) {
    throw asTrouble(error)
  }
}

/** The cluster below files that are not applied: an exchange would prove the world as it is, not as the files would make it. */
const unproven = (source: Source): Source => ({
  name: source.name,
  ask: (question, signal) =>
    exchangeCalls.has(question.call)
      ? unknown(
          'not-asked',
          'the files are not applied, so an exchange would prove the cluster as it is',
          question,
          'apply the files and leave out --overlay',
        )
      : source.ask(question, signal),
})

const unreached: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such file or folder',
  EACCES: 'it may not be looked at (permission denied)',
  ELOOP: 'it is a link that leads back to itself',
}

/** Throws a usage error where nothing can be seen at this path; whether that can be read is the reader's to say. */
function mustBeReached(path: string): void {
  try {
    statSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw usage(`-f ${path}: ${unreached[code] ?? `it cannot be looked at (${code})`}`)
  }
}

/** Throws usage errors: a path that is not there, nothing readable, no cluster to talk to. */
export async function openWorld(
  flags: WorldFlags,
  { version, ends }: { readonly version: string; readonly ends: Ends },
): Promise<World> {
  const { remembered } = await import('../sources/remembered.ts')
  const { redacted } = await import('../sources/redacted.ts')
  const paths = flags.file ?? []
  const signal = AbortSignal.any([ends.stop, ends.late])
  const live = (): Promise<Opened> => openLive(flags, { ...flags, version, signal })
  const careful = (source: Source): Source => stoppable(remembered(redacted(source)), ends)
  if (paths.length === 0) {
    const opened = await live()
    return { ...opened, source: careful(opened.source), documents: false, notRecognised: [], problems: [] }
  }

  for (const path of paths) mustBeReached(path)
  const { readDocuments } = await import('../sources/documents/index.ts')
  const { namespace } = flags
  const read = await readDocuments(paths, { signal, ...(namespace === undefined ? {} : { namespace }) })
  const problems = read.problems.map(({ message }) => message)
  if (read.recognised === 0 && !flags.overlay) {
    const others = read.notRecognised.map((path) => `not recognised: ${path}`)
    throw usage([`nothing to examine was found in ${paths.join(', ')}`, ...problems, ...others.slice(0, 10)].join('\n'))
  }
  const described = `documents in ${paths.join(', ')}`
  const seen = {
    documents: read.run === undefined,
    notRecognised: read.notRecognised,
    problems,
    ...(read.run === undefined ? {} : { run: read.run }),
  }
  if (!flags.overlay)
    return {
      ...seen,
      source: careful(read.source),
      described,
      namespace: textAt(read.run, 'namespace'),
      close: () => {},
    }
  const { layered } = await import('../sources/layered.ts')
  const below = await live()
  return {
    ...seen,
    documents: false,
    source: careful(layered(read.source, unproven(below.source))),
    described: `${described}, laid over ${below.described}`,
    namespace: below.namespace,
    close: below.close,
  }
}
