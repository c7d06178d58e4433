/** Who is judged in a run, as the command line chooses them. */
import type { Check } from '../core/check.ts'
import type { Source } from '../core/fact.ts'
import { misunderstood, type Roster, subjectsFor } from '../probes/subjects.ts'
import { readTarget } from '../probes/targets.ts'
import { notThere } from './named.ts'
import { usage } from './trouble.ts'
import type { World } from './world.ts'

export type RosterFlags = {
  readonly 'all-namespaces': boolean
  readonly namespace?: string | undefined
  readonly selector?: string | undefined
}

const selectorOf = ({ selector }: RosterFlags) => (selector === undefined ? {} : { selector })

/** Throws a usage error where a target or a selector is not understood. */
export function mustBeUnderstood(targets: readonly string[], flags: RosterFlags): void {
  const unclear = misunderstood({ targets, ...selectorOf(flags) })
  if (unclear.length > 0) throw usage(unclear.join('\n'))
}

/** The kinds of objects that these checks judge. */
export const kindsOf = (checks: readonly Check[]): ReadonlySet<string> =>
  new Set(checks.flatMap(({ meta }) => meta.kinds ?? []))

/** Pods of every namespace run on a node, whatever the namespace of the context. */
const areNodes = (targets: readonly string[]): boolean =>
  targets.length > 0 && targets.map(readTarget).every((target) => typeof target !== 'string' && target.kind === 'Node')

/** The namespace that is looked in; undefined for all of them. */
const namespaceOf = (
  targets: readonly string[],
  flags: RosterFlags,
  world: Pick<World, 'namespace'>,
): string | undefined =>
  flags['all-namespaces'] ? undefined : (flags.namespace ?? (areNodes(targets) ? undefined : world.namespace))

/** Throws a usage error where somebody who was named, or the namespace, was looked for and is not there. `roster`: whom the targets came to. */
export async function mustBeThere(
  targets: readonly string[],
  flags: RosterFlags,
  world: Pick<World, 'namespace' | 'source'>,
  { subjects }: Roster,
): Promise<void> {
  const nobody = !subjects.some(({ kind }) => kind === 'Pod')
  const namespace = namespaceOf(targets, flags, world)
  const missing = await notThere(world.source, targets, { namespace, nobody })
  if (missing.length > 0) throw usage(missing.join('\n'))
}

/** `source`: the world's own, or the world as a plan would leave it. */
export function rosterOf(
  targets: readonly string[],
  flags: RosterFlags & { readonly checks: readonly Check[] },
  world: Pick<World, 'namespace' | 'documents'>,
  source: Source,
): Promise<Roster> {
  const namespace = namespaceOf(targets, flags, world)
  return subjectsFor(source, {
    targets,
    allNamespaces: namespace === undefined,
    documents: world.documents,
    kinds: kindsOf(flags.checks),
    ...(namespace === undefined ? {} : { namespace }),
    ...selectorOf(flags),
  })
}
