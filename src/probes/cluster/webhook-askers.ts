/** Who among those that are judged asks a webhook for an identity, and who of them lacks it. */
import { defineProbe, type Fact, known } from '../../core/fact.ts'
import { awsAudience, azureAudience, podIdentityAudience, roleAnnotation } from '../../domain/audiences.ts'
import { skipLabel } from '../../domain/aws-injection.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Injects } from '../../domain/webhooks.ts'
import type { Pod } from '../../domain/workloads.ts'
import { judgedAccounts } from './judged-accounts.ts'
import { pods, podTemplates } from './pods.ts'

export type Asked = {
  readonly mechanism: Injects
  readonly asking: readonly string[]
  /** Those of them that have not got it. */
  readonly lacking: readonly string[]
}
export type Askers = {
  readonly asked: readonly Asked[]
  /** Somebody, or somebody's pods, could not be seen. */
  readonly open: boolean
}

const ours: { readonly AWS: readonly string[]; readonly Azure: readonly string[] } = {
  AWS: ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
  Azure: ['AZURE_FEDERATED_TOKEN_FILE'],
}
const audiences = { AWS: [awsAudience, podIdentityAudience], Azure: [azureAudience] } as const

/** Injected, or written so by hand. */
const equipped = (pod: Pod, mechanism: 'AWS' | 'Azure'): boolean =>
  pod.containers.some(({ env }) => ours[mechanism].some((name) => name in env)) ||
  pod.volumes.some(({ tokens }) =>
    tokens.some(({ audience }) => audiences[mechanism].some((one) => audience?.startsWith(one) === true)),
  )
const ended = ({ phase, leaving }: Pod): boolean => leaving || phase === 'Succeeded' || phase === 'Failed'
const azureLabel = 'azure.workload.identity/use'

/** Never unknown: what was not seen makes it open. */
export const webhookAskers = defineProbe({
  id: 'cluster/webhook-askers',
  about: 'who asks a webhook for an identity',
  scope: 'cluster',
  needs: {},
  wants: { pods, podTemplates, judgedAccounts },
  ask: (_have, { pods, podTemplates, judgedAccounts }, { subjects }): Fact<Askers> => {
    const asking = { AWS: new Set<string>(), Azure: new Set<string>() }
    const lacking = { AWS: new Set<string>(), Azure: new Set<string>() }
    let open = subjects.some(({ kind, standsFor }) => kind === 'Cluster' && standsFor !== undefined)
    for (const { namespace, name, fact } of judgedAccounts.state === 'known' ? judgedAccounts.value : []) {
      const account = fact.state === 'known' ? fact.value : undefined
      if (fact.state === 'unknown') open = true
      const shelf = pods.state === 'known' ? pods.value.get(namespace) : undefined
      const templates = podTemplates.state === 'known' ? podTemplates.value.get(namespace) : undefined
      const own = (shelf?.by.get(name) ?? []).filter((pod) => !ended(pod))
      const made = templates?.by.get(name) ?? []
      const seen = shelf?.fact.state === 'known'
      if (!seen) open = true
      const count = (mechanism: 'AWS' | 'Azure', who: string, users: readonly Pod[], byItself: boolean): void => {
        asking[mechanism].add(who)
        // A manifest shows only what its author wrote; what the webhook adds is seen in pods that were made.
        const born = users.filter(({ uid }) => uid !== undefined)
        const lacks = born.length > 0 ? born.some((pod) => !equipped(pod, mechanism)) : byItself
        if (lacks) lacking[mechanism].add(who)
      }
      if (account?.annotations[roleAnnotation]) {
        const willing = own.filter((pod) => !(skipLabel in pod.labels))
        const byHand = made.length > 0 && made.every((one) => equipped(one, 'AWS'))
        const unborn = seen && own.length === 0 && !byHand
        count('AWS', `ServiceAccount ${namespace}/${name}`, willing, unborn)
      }
      for (const pod of own)
        if (pod.labels[azureLabel] === 'true') count('Azure', `pod ${namespace}/${pod.name}`, [pod], false)
      for (const one of made)
        if (one.labels[azureLabel] === 'true' && own.length === 0)
          count('Azure', `${one.kind} ${namespace}/${one.name}`, [], seen && !equipped(one, 'Azure'))
    }
    const asked = (['AWS', 'Azure'] as const).flatMap((mechanism) =>
      asking[mechanism].size === 0
        ? []
        : [{ mechanism, asking: [...asking[mechanism]], lacking: [...lacking[mechanism]] }],
    )
    return known({ asked, open }, kubernetes.list('serviceaccounts'))
  },
})
