/** The pods on each node, and what was seen to be said of pods that found no address or no room there. */
import type { CheckId } from '../../core/check.ts'
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { subjectKey } from '../../core/subject.ts'
import { kubernetes, seen } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { judged } from '../cluster/judged.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { awsNode, unlistedNodes } from './nodes.ts'

export type PodsByNode = { readonly counts: ReadonlyMap<string, number>; readonly complete: boolean }

/** Pods that take room: neither Succeeded nor Failed. */
export const podsByNode = defineProbe({
  id: 'eks/pods-by-node',
  about: 'the pods of all namespaces, by node',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<PodsByNode>> => {
    const question = kubernetes.list('pods')
    return onward(ask(question), (fact): Fact<PodsByNode> => {
      const list = listed(fact, readPod)
      if (list.state !== 'known') return list
      const counts = new Map<string, number>()
      for (const { node, phase } of list.value.items)
        if (node !== undefined && phase !== 'Succeeded' && phase !== 'Failed')
          counts.set(node, (counts.get(node) ?? 0) + 1)
      return known({ counts, complete: list.value.complete }, question)
    })
  },
})

type Placed = { readonly error: ObservedError; readonly node?: string }

/** Known texts that lead to a check, each with the node that it speaks of, where that can be told. */
const placed = (check: CheckId) => {
  const fragments = fragmentsOf(check)
  return defineProbe({
    id: `${check}-texts`,
    about: 'known error texts about pods on nodes',
    scope: 'cluster',
    needs: {},
    wants: { observedErrors },
    ask: (_have, { observedErrors }, { ask }): Soon<Fact<readonly Placed[]>> => {
      const all = observedErrors.state === 'known' ? observedErrors.value : []
      const own = all.filter(({ fragment }) => fragments.has(fragment))
      if (own.length === 0) return absent(seen.errors())
      return onward(ask(kubernetes.list('pods')), (fact): Fact<readonly Placed[]> => {
        const list = listed(fact, readPod)
        const pods = new Map<string, Pod>(
          list.state === 'known' ? list.value.items.map((pod) => [subjectKey(pod), pod]) : [],
        )
        return known(
          own.map((error) => {
            const { about = '' } = error
            const node = about.startsWith('Node ') ? about.slice('Node '.length) : pods.get(about)?.node
            return node === undefined ? { error } : { error, node }
          }),
          seen.errors(),
        )
      })
    },
  })
}

/** Those of one node; what names none belongs to the only one, else to the cluster. Absent where there are none. */
const ofNode = (check: CheckId) => {
  const texts = placed(check)
  return defineProbe({
    id: `${check}-texts-of-node`,
    about: 'known error texts about pods on the node',
    scope: 'node',
    needs: {},
    wants: { texts, judged },
    ask: (_have, { texts, judged }, { subject }): Fact<readonly ObservedError[]> => {
      if (texts.state !== 'known' || judged.state !== 'known') return absent(seen.errors())
      const { byKey, alone } = judged.value
      const own = texts.value.filter(({ node }) =>
        subject.kind === 'Node'
          ? node === undefined
            ? alone('node')
            : node === subject.name
          : node === undefined || !byKey.has(`Node ${node}`),
      )
      return own.length === 0
        ? absent(seen.errors())
        : known(
            own.map(({ error }) => error),
            seen.errors(),
          )
    },
  })
}

export const addressErrors = ofNode('eks/max-pods-fits-the-addresses')
export const roomErrors = ofNode('eks/node-has-room-for-pods')

/** Whether there is anything to say of a node: it is one of AWS, or something was said of it. */
const concerned = (check: CheckId, errors: typeof addressErrors) =>
  defineProbe({
    id: `${check}-concerns`,
    about: 'whether the node is one of AWS',
    scope: 'node',
    needs: {},
    wants: { awsNode, unlistedNodes, errors },
    ask: (_have, { awsNode, unlistedNodes, errors }, { subject }): Fact<true> => {
      if (errors.state === 'known') return known(true, errors.from)
      if (awsNode.state !== 'absent') return awsNode.state === 'known' ? known(true, awsNode.from) : awsNode
      return subject.kind === 'Cluster' && unlistedNodes.state === 'unknown' ? unlistedNodes : awsNode
    },
  })

export const addressesConcern = concerned('eks/max-pods-fits-the-addresses', addressErrors)
export const roomConcerns = concerned('eks/node-has-room-for-pods', roomErrors)
