/** What every cloud's part of the map stands on: the ServiceAccounts, who runs as them, and the issuer of their tokens. */
import { examine } from '../core/engine.ts'
import { type Fact, onward, type Question, type Source } from '../core/fact.ts'
import type { Link } from '../core/identity-map.ts'
import type { Json } from '../core/json.ts'
import { clusterSubject, type Subject } from '../core/subject.ts'
import { kubernetes } from '../domain/questions.ts'
import type { ServiceAccount } from '../domain/workloads.ts'
import { issuer as issuerProbe } from '../probes/cluster/issuer.ts'
import { listed } from '../probes/lists.ts'
import { readPod, readServiceAccount } from '../probes/read-once.ts'

export type Ground = {
  readonly accounts: readonly ServiceAccount[]
  /** Whether a ServiceAccount that is not among them does not exist. */
  readonly isMissing: (namespace: string, name: string) => boolean
  readonly podsOf: (namespace: string, name: string) => Pick<Link, 'pods'>
  readonly issuer: string | undefined
  /** Called where a link hangs on the issuer: only then is it missed. */
  readonly needsIssuer: () => void
  readonly isSeen: (namespace: string, name: string) => boolean
  /** The namespace that was asked for; undefined for all. */
  readonly namespace: string | undefined
  readonly documents: boolean
  readonly ask: (question: Question) => Promise<Fact<Json>>
  /** Notes what could not be seen; the same once. */
  readonly unseen: (words: string) => void
}

export const keyOfAccount = (namespace: string, name: string): string => `${namespace}/${name}`

const isOver = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'

type Beside = Omit<Link, 'state'>

/** Somebody who is trusted by name and is not among the ServiceAccounts: not there, or not seen. */
export function trustedBeside(
  ground: Ground,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { pods: _, ...link }: Beside,
): readonly Link[] {
  if (ground.isSeen(namespace, name)) return []
  if (ground.namespace !== undefined && ground.namespace !== namespace) return []
  return [{ ...link, state: ground.isMissing(namespace, name) ? 'orphan' : 'may' }]
}

/** Looks at ServiceAccounts and pods of the namespace, or of all; `unseen` hears, in a sentence, of each list that could not be read. */
export async function groundOf(
  source: Source,
  { namespace, documents }: { readonly namespace: string | undefined; readonly documents: boolean },
  unseen: (words: string) => void,
): Promise<Ground> {
  const ask = async (question: Question): Promise<Fact<Json>> => onward(source.ask(question), (fact) => fact)
  const [accounts, pods] = await Promise.all([
    ask(kubernetes.list('serviceaccounts', namespace)).then((fact) => listed(fact, readServiceAccount)),
    ask(kubernetes.list('pods', namespace)).then((fact) => listed(fact, readPod)),
  ])
  for (const [what, fact] of [
    ['the ServiceAccounts', accounts],
    ['the pods', pods],
  ] as const)
    if (fact.state === 'unknown') unseen(`${what} were not seen: ${fact.detail}`)
  const items = accounts.state === 'known' ? accounts.value.items : []
  const whole = accounts.state === 'known' && accounts.value.complete
  const known = new Set(items.map((one) => keyOfAccount(one.namespace, one.name)))
  const running = new Map<string, number>()
  for (const pod of pods.state === 'known' ? pods.value.items : []) {
    if (isOver(pod.phase)) continue
    const key = keyOfAccount(pod.namespace, pod.serviceAccount)
    running.set(key, (running.get(key) ?? 0) + 1)
  }
  const sample = items
    .slice(0, 1)
    .map((one): Subject => ({ kind: 'ServiceAccount', namespace: one.namespace, name: one.name }))
  const { fact } = await examine({ checks: [], subjects: [clusterSubject, ...sample], source })
  const issuer = await fact(issuerProbe, clusterSubject)
  return {
    accounts: items,
    isMissing: (space, name) =>
      whole && (namespace === undefined || space === namespace) && !known.has(keyOfAccount(space, name)),
    podsOf: (space, name) => (pods.state === 'known' ? { pods: running.get(keyOfAccount(space, name)) ?? 0 } : {}),
    issuer: issuer.state === 'known' ? issuer.value.issuer : undefined,
    needsIssuer: () => {
      if (issuer.state === 'unknown') unseen(`the issuer of the cluster's tokens was not seen: ${issuer.detail}`)
    },
    isSeen: (space, name) => known.has(keyOfAccount(space, name)),
    namespace,
    documents,
    ask,
    unseen,
  }
}
