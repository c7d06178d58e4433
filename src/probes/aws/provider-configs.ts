/** Which source of credentials Crossplane's ProviderConfigs select; asked only for the pods of its AWS providers. */
import { absent, defineProbe, type Fact, onward, type Soon } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type Listed, listed } from '../lists.ts'
import { pod } from '../workload/pod.ts'

export type ProviderConfig = { readonly name: string; readonly source: string }

/** https://docs.crossplane.io/latest/packages/providers/#provider-pods */
const isAwsProvider = ({ labels }: Pick<Pod, 'labels'>): boolean =>
  ['pkg.crossplane.io/provider', 'pkg.crossplane.io/revision'].some((label) =>
    /^(?:[\w-]*-)?provider-(?:family-)?aws\b/.test(labels[label] ?? ''),
  )

/** Where the pod was not seen, or nobody but its manifest: what Crossplane and its guides call such ServiceAccounts. */
const isAwsProviderAccount = (name: string): boolean =>
  /^(?:[\w-]*-)?provider-(?:family-)?aws\b|^crossplane$/.test(name)

const read = (json: Json): ProviderConfig | undefined => {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  // Other clouds and tools have objects of the same kind.
  const own = textAt(json, 'apiVersion')?.startsWith('aws.upbound.io/') === true
  return { name, source: own ? (textAt(json, 'spec', 'credentials', 'source') ?? '') : '' }
}

export const providerConfigs = defineProbe({
  id: 'aws/provider-configs',
  about: 'the credentials that Crossplane selects',
  scope: 'pod',
  needs: {},
  wants: { pod },
  ask: (_have, { pod }, { ask, subject }): Soon<Fact<Listed<ProviderConfig>>> =>
    (pod.state === 'known' && (isAwsProvider(pod.value) || isAwsProviderAccount(pod.value.serviceAccount))) ||
    (subject.kind === 'ServiceAccount' && isAwsProviderAccount(subject.name))
      ? onward(ask(kubernetes.list('providerconfigs')), (answer) => listed(answer, read))
      : absent(pod.from),
})
