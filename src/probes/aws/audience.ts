/** The audience of the tokens that the ServiceAccount's pods present to STS. */
import { absent, defineProbe, type Fact, known, type Soon } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { audienceAnnotation, awsAudience } from '../../domain/audiences.ts'
import { webIdentityAudiences } from '../../domain/aws-injection.ts'
import { hostPathOf, isEksIssuer } from '../../domain/aws-trust-provider.ts'
import { kubernetes } from '../../domain/questions.ts'
import { issuer } from '../cluster/issuer.ts'
import { podsOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { cluster } from './cluster.ts'
import { roleReference } from './role-reference.ts'
import { entryFor, podIdentityWebhook, webhookFlags, webhookMap } from './webhook.ts'

export type Audience = {
  readonly audience: string
  readonly via: 'pod' | 'annotation' | 'webhook' | 'default'
  /** Where somebody runs the webhook himself, its flag may say otherwise, and was not seen. */
  readonly certain: boolean
}

export const audience = defineProbe({
  id: 'aws/audience',
  about: "the audience of the ServiceAccount's tokens for AWS",
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, roleReference, podsOfServiceAccount, issuer, cluster },
  ask: (
    _have,
    { serviceAccount, roleReference, podsOfServiceAccount, issuer, cluster },
    inquiry,
  ): Soon<Fact<Audience>> => {
    if (serviceAccount.state === 'absent') return absent(serviceAccount.from)
    const annotated =
      serviceAccount.state === 'known' ? serviceAccount.value.annotations[audienceAnnotation] : undefined
    if (podsOfServiceAccount.state === 'known') {
      const inPods = [...new Set(podsOfServiceAccount.value.items.flatMap(webIdentityAudiences))].sort()
      // Pods from before and after a change: the newer ones have what the annotation asks for.
      const chosen = inPods.find((one) => one === (annotated || awsAudience)) ?? inPods[0]
      // The webhook gave the pod what the annotation asks for: it is the annotation that says it.
      const via = chosen === annotated ? 'annotation' : 'pod'
      if (chosen !== undefined) return known({ audience: chosen, via, certain: true }, podsOfServiceAccount.from)
    }
    // Pods that were seen say it without it.
    if (serviceAccount.state === 'unknown') return serviceAccount
    const { value, from } = serviceAccount
    if (annotated) return known({ audience: annotated, via: 'annotation', certain: true }, from)
    const eks = cluster.state === 'known' || (issuer.state === 'known' && isEksIssuer(hostPathOf(issuer.value.issuer)))
    if (eks) return known({ audience: awsAudience, via: 'default', certain: true }, from)
    return ofOwnWebhook()

    async function ofOwnWebhook(): Promise<Fact<Audience>> {
      const webhook = await podIdentityWebhook.ask({}, {}, inquiry)
      if (roleReference.state === 'known' && roleReference.value.via === 'config-map') {
        const map = await webhookMap(webhook, inquiry)
        const entry = map.state === 'known' ? entryFor(map.value, value) : undefined
        if (entry?.audience) return known({ audience: entry.audience, via: 'webhook', certain: true }, map.from)
      }
      const flags = await webhookFlags(webhook, inquiry)
      if (flags.state === 'known')
        return known({ audience: flags.value.tokenAudience ?? awsAudience, via: 'webhook', certain: true }, flags.from)
      if (flags.state === 'absent' && webhook.state === 'known')
        return known({ audience: awsAudience, via: 'default', certain: true }, from)
      // A driver that hands tokens on says for which audience it asks.
      const drivers = await inquiry.ask(kubernetes.list('csidrivers'))
      const asked =
        drivers.state === 'known'
          ? listAt(drivers.value, 'items').flatMap((one) => listAt(one, 'spec', 'tokenRequests'))
          : []
      const certain = asked.some((one) => textAt(one, 'audience') === awsAudience)
      return known({ audience: awsAudience, via: 'default', certain }, from)
    }
  },
})
