/** The AWS region of the cluster: of its ARN, else of its nodes. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { partitionOfRegion } from '../../domain/arn.ts'
import { kubernetes } from '../../domain/questions.ts'
import { cluster } from './cluster.ts'
import { roleReference } from './role-reference.ts'

export type Region = { readonly region: string; readonly partition: string }

/** Other clouds label their nodes with regions too, and some of theirs are named like those of AWS. */
const regionOf = (node: Json): string | null => {
  const provider = textAt(node, 'spec', 'providerID')
  if (provider !== undefined && !provider.startsWith('aws:')) return null
  const labels = at(node, 'metadata', 'labels')
  return (
    textAt(labels, 'topology.kubernetes.io/region') ??
    textAt(labels, 'failure-domain.beta.kubernetes.io/region') ??
    null
  )
}

/** Every ServiceAccount asks for it, and the nodes are the same for all: kept no longer than the answer that they came in. */
const found = new WeakMap<object, Region | null>()

/** Where the first node is that says so. */
function ofNodes(answer: Fact<Json>): Region | null {
  if (answer.state !== 'known' || !isObject(answer.value)) return null
  let region = found.get(answer.value)
  if (region === undefined) {
    region = null
    for (const node of listAt(answer.value, 'items')) {
      const name = regionOf(node)
      region = (name === null ? undefined : ofRegion(name)) ?? null
      if (region !== null) break
    }
    found.set(answer.value, region)
  }
  return region
}

const ofRegion = (name: string): Region | undefined => {
  const partition = partitionOfRegion(name)
  return partition === undefined ? undefined : { region: name, partition }
}

/** Absent where nobody has to know: no ARN is written, or no node says where it is. */
export const region = defineProbe({
  id: 'aws/region',
  about: 'the AWS region of the cluster',
  scope: 'service-account',
  needs: {},
  wants: { roleReference, cluster },
  ask: (_have, { roleReference, cluster }, inquiry): Soon<Fact<Region>> => {
    if (roleReference.state !== 'known' || roleReference.value.arn === undefined) return absent(roleReference.from)
    if (cluster.state === 'known') {
      const found = ofRegion(cluster.value.region)
      if (found !== undefined) return known(found, cluster.from)
    }
    const question = kubernetes.list('nodes')
    return onward(inquiry.ask(question), (answer): Fact<Region> => {
      const told = ofNodes(answer)
      if (told !== null) return known(told, answer.from)
      if (answer.state === 'known' && at(answer.value, 'complete') !== false) return absent(answer.from)
      // A list that was refused says itself what would lift it.
      if (answer.state === 'unknown' && answer.why !== 'not-collected') return answer
      const lift = cluster.state === 'unknown' ? cluster.lift : 'kubectl get nodes -o yaml'
      return unknown('not-collected', 'the region of the cluster was not seen', question, lift)
    })
  },
})
