/** Opens what a run looks at: documents, the live cluster and its clouds, or the one laid over the other. */
import { existsSync } from 'node:fs'
import type { Source } from '../core/fact.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { asTrouble, usage } from './trouble.ts'
import { withheld } from './withheld.ts'

export type WorldFlags = KubeconfigValues & {
  readonly file?: readonly string[] | undefined
  readonly overlay: boolean
  readonly exchange: boolean
  readonly 'cloud-credentials': 'default' | 'none'
  readonly concurrency: number
}

export type World = {
  readonly source: Source
  /** Where the facts come from, for the head of the report. */
  readonly described: string
  /** The namespace of the context; undefined for documents alone. */
  readonly namespace: string | undefined
  readonly documents: boolean
  readonly notRecognised: readonly string[]
  readonly problems: readonly string[]
  readonly close: () => void | Promise<void>
}

type Opened = {
  readonly source: Source
  readonly described: string
  readonly namespace: string | undefined
  readonly close: () => void | Promise<void>
}

/** The cluster of the kubeconfig, and the clouds with this machine's own credentials. Throws usage errors. */
export async function openLive(flags: KubeconfigValues, options: { readonly concurrency: number }): Promise<Opened> {
  void [flags, options, clusterChoice, asTrouble]
  throw usage('a live cluster cannot be examined yet')
}

/** Throws usage errors: a path that is not there, a kubeconfig without a cluster. */
export async function openWorld(flags: WorldFlags): Promise<World> {
  const withhold = { exchange: !flags.exchange, cloud: flags['cloud-credentials'] === 'none' }
  const remembered = (source: Source): Source => source
  const redacted = (source: Source): Source => source
  const paths = flags.file ?? []
  if (paths.length === 0) {
    const live = await openLive(flags, flags)
    return {
      ...live,
      source: remembered(redacted(withheld(live.source, withhold))),
      documents: false,
      notRecognised: [],
      problems: [],
    }
  }

  for (const path of paths) if (!existsSync(path)) throw usage(`-f ${path}: there is no such file or folder`)
  const { readDocuments } = await import('../sources/documents/index.ts')
  const read = await readDocuments(paths, flags.namespace === undefined ? {} : { namespace: flags.namespace })
  const problems = read.problems.map(({ message }) => message)
  const folder = `documents in ${paths.join(', ')}`
  if (!flags.overlay)
    return {
      source: remembered(redacted(withheld(read.source, withhold))),
      described: folder,
      namespace: undefined,
      documents: true,
      notRecognised: read.notRecognised,
      problems,
      close: () => {},
    }
  const layered = (first: Source, _second: Source): Source => first
  const live = await openLive(flags, flags)
  return {
    ...live,
    source: remembered(redacted(withheld(layered(read.source, live.source), withhold))),
    described: `${folder}, laid over ${live.described}`,
    documents: true,
    notRecognised: read.notRecognised,
    problems,
  }
}
