/** The AWS region of the cluster: of its ARN, else of its nodes. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { partitionOfRegion } from '../../domain/arn.ts'
import { kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
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

/** Absent where nobody has to know: no ARN is written, or no node says where it is. */
export const region = defineProbe({
  id: 'aws/region',
  about: 'the AWS region of the cluster',
  scope: 'service-account',
  needs: {},
  wants: { roleReference, cluster },
  ask: (_have, { roleReference, cluster }, inquiry): Soon<Fact<Region>> => {
    if (roleReference.state !== 'known' || roleReference.value.arn === undefined) return absent(roleReference.from)
    const ofRegion = (found: string): Region | undefined => {
      const partition = partitionOfRegion(found)
      return partition === undefined ? undefined : { region: found, partition }
    }
    if (cluster.state === 'known') {
      const found = ofRegion(cluster.value.region)
      if (found !== undefined) return known(found, cluster.from)
    }
    const question = kubernetes.list('nodes')
    return onward(inquiry.ask(question), (answer): Fact<Region> => {
      const nodes = listed(answer, regionOf)
      const seen = nodes.state === 'known' ? nodes.value.items : []
      for (const found of seen) {
        const told = found === null ? undefined : ofRegion(found)
        if (told !== undefined) return known(told, nodes.from)
      }
      if (nodes.state === 'known' && nodes.value.complete) return absent(nodes.from)
      // A list that was refused says itself what would lift it.
      if (nodes.state === 'unknown' && nodes.why !== 'not-collected') return nodes
      const lift = cluster.state === 'unknown' ? cluster.lift : 'kubectl get nodes -o yaml'
      return unknown('not-collected', 'the region of the cluster was not seen', question, lift)
    })
  },
})
