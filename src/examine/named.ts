/** Whom a person has named on the command line and nobody has: a slip of the pen, and not somebody who is well. */
import type { Source } from '../core/fact.ts'
import { at, listAt, textAt } from '../core/json.ts'
import { kubernetes } from '../domain/questions.ts'
import { readTarget, type Target } from '../probes/targets.ts'
import { nearest } from './near.ts'

/** Of a ServiceAccount that is not there a check speaks, for somebody may run as it all the same. */
const resources: { readonly [kind: string]: string } = {
  Pod: 'pods',
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Job: 'jobs',
  CronJob: 'cronjobs',
}

async function lacking(source: Source, { kind, name }: Target, namespace: string | undefined): Promise<string[]> {
  if (kind === 'Node') {
    const node = await source.ask(kubernetes.get('nodes', undefined, name))
    return node.state === 'absent' ? [`node/${name} does not exist`] : []
  }
  const resource = resources[kind]
  if (resource === undefined) return []
  const all = await source.ask(kubernetes.list(resource, namespace))
  if (all.state !== 'known' || at(all.value, 'complete') === false) return []
  const names = listAt(all.value, 'items').flatMap((one) => textAt(one, 'metadata', 'name') ?? [])
  if (names.includes(name)) return []
  const word = kind.toLowerCase()
  const near = nearest(name, names).map((one) => `${word}/${one}`)
  const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
  return [`${word}/${name} does not exist${namespace === undefined ? '' : ` in namespace ${namespace}`}${hint}`]
}

/**
 * What was looked for and is not there, in sentences; none where that could not be looked at. The lists are those that tell who is judged,
 * so that of a source that remembers only nodes and namespaces are asked anew.
 */
export async function notThere(
  source: Source,
  targets: readonly string[],
  { namespace, nobody }: { readonly namespace: string | undefined; readonly nobody: boolean },
): Promise<readonly string[]> {
  const named = targets.map(readTarget).filter((target) => typeof target !== 'string')
  // A namespace is not asked for where somebody was found in it: not everybody may read namespaces.
  const place = nobody && namespace !== undefined ? kubernetes.get('namespaces', undefined, namespace) : undefined
  if (place !== undefined && (await source.ask(place)).state === 'absent')
    return [`there is no namespace ${namespace}: create it first, or name another with -n`]
  return (await Promise.all(named.map((target) => lacking(source, target, namespace)))).flat()
}
