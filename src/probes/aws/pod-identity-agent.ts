/** The EKS Pod Identity agent of a node; looked for only where pods on it ask it for credentials. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { eksAuthCallIn } from '../../domain/agent-answers.ts'
import { asksPodIdentityAgent } from '../../domain/aws-injection.ts'
import { kubernetes, seen } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { pods } from '../cluster/pods.ts'
import { type Listed, listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { cluster } from './cluster.ts'

const agentName = 'eks-pod-identity-agent'
const agentNamespace = 'kube-system'

/** Names of the pods that ask for credentials, by their node: each pod is looked at once, however many nodes there are. */
const agentUsersByNode = defineProbe({
  id: 'aws/pod-identity-agent-users-by-node',
  about: 'the pods that ask a Pod Identity agent',
  scope: 'cluster',
  needs: {},
  wants: { pods },
  ask: (_have, { pods }): Fact<ReadonlyMap<string, readonly string[]>> => {
    if (pods.state !== 'known') return absent(pods.from)
    const byNode = new Map<string, string[]>()
    for (const { by } of pods.value.values())
      for (const those of by.values())
        for (const one of those) {
          if (one.node === undefined || !asksPodIdentityAgent(one)) continue
          const names = byNode.get(one.node)
          if (names === undefined) byNode.set(one.node, [one.name])
          else names.push(one.name)
        }
    return known(byNode, kubernetes.list('pods'))
  },
})

/** Names of the pods on the node that ask for credentials; absent where none was seen to. */
export const agentUsers = defineProbe({
  id: 'aws/pod-identity-agent-users',
  about: 'the pods that ask the Pod Identity agent of the node',
  scope: 'node',
  needs: {},
  wants: { agentUsersByNode, cluster },
  ask: (
    _have,
    { agentUsersByNode, cluster },
    { subject },
  ): Fact<{ readonly names: readonly string[]; readonly cluster: string }> => {
    const names =
      agentUsersByNode.state === 'known' && subject.kind === 'Node'
        ? agentUsersByNode.value.get(subject.name)
        : undefined
    if (names === undefined) return absent(kubernetes.list('pods'))
    const name = cluster.state === 'known' ? cluster.value.name : 'CLUSTER'
    return known({ names, cluster: name }, kubernetes.list('pods'))
  },
})

/** What the node is, by its labels. */
export type Compute = 'fargate' | 'windows' | 'auto' | 'elsewhere' | 'other'

export const compute = defineProbe({
  id: 'aws/node-compute',
  about: 'what the node is: its labels',
  scope: 'node',
  needs: {},
  wants: { agentUsers, cluster },
  ask: (_have, { agentUsers, cluster }, { subject, ask }): Soon<Fact<Compute>> => {
    const question = kubernetes.get('nodes', undefined, subject.name)
    if (agentUsers.state !== 'known') return absent(question)
    // Only EKS has the agent and what it asks.
    if (cluster.state === 'absent') return known('elsewhere', cluster.from)
    return onward(ask(question), (fact) =>
      reading(fact, (node): Compute => {
        const type = textAt(node, 'metadata', 'labels', 'eks.amazonaws.com/compute-type')
        if (type === 'fargate' || type === 'auto') return type
        return textAt(node, 'metadata', 'labels', 'kubernetes.io/os') === 'windows' ? 'windows' : 'other'
      }),
    )
  },
})

export type AgentDaemonSet = { readonly name: string; readonly desired?: number; readonly ready?: number }

/** Auto Mode has it built in, Fargate and Windows have none. */
const hasNone = (compute: Fact<Compute>): boolean => compute.state === 'known' && compute.value !== 'other'

/** Absent where all DaemonSets were seen and it is not among them, or nobody asks for it. */
export const agentDaemonSet = defineProbe({
  id: 'aws/pod-identity-agent-daemon-set',
  about: 'the DaemonSet of the Pod Identity agent',
  scope: 'node',
  needs: {},
  wants: { agentUsers, compute },
  ask: (_have, { agentUsers, compute }, { ask }): Soon<Fact<Listed<AgentDaemonSet>>> => {
    const question = kubernetes.list('daemonsets', agentNamespace)
    if (agentUsers.state !== 'known' || hasNone(compute)) return absent(question)
    return onward(ask(question), (fact) => {
      const list = listed(fact, (json): AgentDaemonSet | undefined => {
        const one = readWorkload(json)
        if (one === undefined) return undefined
        const desired = at(json, 'status', 'desiredNumberScheduled')
        const ready = at(json, 'status', 'numberReady')
        return {
          name: one.name,
          ...(typeof desired === 'number' ? { desired } : {}),
          ...(typeof ready === 'number' ? { ready } : {}),
        }
      })
      if (list.state !== 'known') return list
      const items = list.value.items.filter(({ name }) => name.startsWith(agentName))
      return known({ items, complete: list.value.complete }, question)
    })
  },
})

/** The agent's own pods on the node. */
export const agentPods = defineProbe({
  id: 'aws/pod-identity-agent-pods',
  about: 'the pods of the Pod Identity agent',
  scope: 'node',
  needs: {},
  wants: { agentUsers, compute },
  ask: (_have, { agentUsers, compute }, { subject, ask }): Soon<Fact<Listed<Pod>>> => {
    const question = kubernetes.list('pods', agentNamespace)
    if (agentUsers.state !== 'known' || hasNone(compute)) return absent(question)
    return onward(ask(question), (fact) => {
      const list = listed(fact, readPod)
      if (list.state !== 'known') return list
      const items = list.value.items.filter(({ name, node }) => name.startsWith(agentName) && node === subject.name)
      return known({ items, complete: list.value.complete }, question)
    })
  },
})

// Anybody may find a port taken; these are the agent's: https://github.com/aws/eks-pod-identity-agent
const ownAddress = /(?:169\.254\.170\.23|\[fd00:ec2::23\]):80: bind: |:270[35]: bind: /

const ofAgent = fragmentsOf('aws/pod-identity-agent-running')

/** What was seen to be said of the agent of this node. A text that names no node is the only node's; never unknown. */
const saidOfAgent = (id: string, belongs: (error: ObservedError) => boolean) =>
  defineProbe({
    id,
    about: 'known error texts of the Pod Identity agent',
    scope: 'node',
    needs: {},
    wants: { observedErrors },
    ask: (_have, { observedErrors }, { subject, subjects }): Fact<readonly ObservedError[]> => {
      const all = observedErrors.state === 'known' ? observedErrors.value : []
      if (all.length === 0) return known(all, seen.errors())
      const alone = subject.kind === 'Cluster' || subjects.filter(({ kind }) => kind === 'Node').length === 1
      return known(alone ? all.filter(belongs) : [], seen.errors())
    },
  })

export const agentErrors = saidOfAgent(
  'aws/pod-identity-agent-errors',
  ({ fragment, text }) => ofAgent.has(fragment) && ownAddress.test(text),
)

/** What shows how a call of the agent to EKS ended. */
export const eksAuthErrors = saidOfAgent('aws/eks-auth-errors', ({ text }) => eksAuthCallIn(text) !== undefined)
