/** The doctor in several clusters at once: one report, one verdict, and what could not be opened said in it. */
import { Errors } from '@oclif/core'
import { fleetOf, type Member } from '../core/fleet.ts'
import type { Snapshot } from '../core/progress.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { type Examined, type ExamineFlags, examined } from './examined.ts'
import { nearest } from './near.ts'
import type { Ends } from './stoppable.ts'
import { asTrouble, usage } from './trouble.ts'
import { type Watch, watch } from './watch.ts'

/** Clusters at the same time; each asks as many questions at a time as --concurrency says. */
const abreast = 4

/** The contexts that were asked for, each once; undefined where no fleet was. Throws usage errors. */
export async function contextsOf(
  flags: Pick<ExamineFlags, 'contexts' | 'all-contexts'> & KubeconfigValues,
): Promise<readonly string[] | undefined> {
  const { contexts } = flags
  if (contexts === undefined && !flags['all-contexts']) return undefined
  const { kubeconfigNames } = await import('../sources/live/kubeconfig.ts')
  let all: readonly string[]
  try {
    all = await kubeconfigNames('contexts', clusterChoice(flags), process.env)
  } catch (error) {
    throw asTrouble(error)
  }
  const wanted = contexts === undefined ? all : contexts.split(',').map((name) => name.trim())
  for (const name of wanted) {
    if (all.includes(name)) continue
    const near = nearest(name, all)
    const hint =
      near.length === 0 ? `there are ${all.slice(0, 12).join(', ') || 'none'}` : `did you mean ${near.join(' or ')}?`
    throw usage(`--contexts: the kubeconfig has no context ${JSON.stringify(name)}; ${hint}`)
  }
  if (wanted.length === 0) throw usage('--all-contexts: the kubeconfig has no context')
  return [...new Set(wanted)]
}

/** How far all of them are, as one. */
export function together(watches: readonly Watch[], total: number): () => Snapshot {
  return () => {
    const snapshots = watches.map((one) => one.snapshot())
    const sections = new Map<string, Snapshot['sections'][number]>()
    for (const section of snapshots.flatMap((one) => one.sections)) {
      const sum = sections.get(section.name) ?? { name: section.name, judged: 0, total: 0, failed: 0, unseen: 0 }
      sections.set(section.name, {
        name: section.name,
        judged: sum.judged + section.judged,
        total: sum.total + section.total,
        failed: sum.failed + section.failed,
        unseen: sum.unseen + section.unseen,
      })
    }
    return {
      phase: `examining ${snapshots.length} of ${total} clusters`,
      sections: [...sections.values()],
      waiting: snapshots.flatMap((one) => one.waiting).sort((a, b) => a.since - b.since),
    }
  }
}

export type Order = {
  readonly targets: readonly string[]
  readonly flags: ExamineFlags
  readonly version: string
  readonly ends: Ends
  /** They were examined before. */
  readonly again: boolean
}

/** `watches` grows while clusters are begun. Throws a usage error where not one of them could be opened. */
export async function fleetExamined(
  contexts: readonly string[],
  { targets, flags, version, ends, again }: Order,
  watches: Watch[],
): Promise<Examined> {
  const seen = new Map<string, Examined>()
  const unopened = new Map<string, string>()
  const queue = [...contexts]
  const work = async (): Promise<void> => {
    for (let context = queue.shift(); context !== undefined; context = queue.shift()) {
      const following = watch()
      watches.push(following)
      try {
        seen.set(context, await examined(targets, { ...flags, context }, version, following, ends, { again }))
      } catch (error) {
        if (!(error instanceof Errors.CLIError)) throw error
        unopened.set(context, error.message)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(abreast, contexts.length) }, work))
  const members = contexts.flatMap((context): readonly Member[] => {
    const one = seen.get(context)
    return one === undefined ? [] : [{ context, report: one.report }]
  })
  const unexamined = contexts.flatMap((context) => {
    const why = unopened.get(context)
    return why === undefined ? [] : [`${context} was not examined: ${why}`]
  })
  const [first, ...rest] = members
  if (first === undefined) throw usage(unexamined.join('\n'))
  return {
    report: fleetOf([first, ...rest], unexamined),
    problems: [...unexamined, ...contexts.flatMap((context) => seen.get(context)?.problems ?? [])],
    formats: seen.get(first.context)?.formats ?? new Map(),
  }
}
