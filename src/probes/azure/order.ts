/** What the workload would ask Entra for: whose token, for which audience, and of which client, tenant and authority. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { azureAudience, bindingAudience } from '../../domain/audiences.ts'
import { authorityUrl, clouds } from '../../domain/azure-clouds.ts'
import { audienceIn, isAzureAudience, usesBinding } from '../../domain/azure-pods.ts'
import type { TokenName } from '../../domain/questions.ts'
import { podsAndTemplates } from './pods.ts'
import { askedAuthority, askedTenant, clientReference, isClientId, webhookSettings } from './reference.ts'
import { azureUse } from './use.ts'

export type ExchangeOrder = {
  readonly token: TokenName
  readonly clientId: string
  readonly tenant: string
  readonly authority: string
}

/** Absent where no client id is named that could be exchanged for, or the pods go by an identity binding, whose token Entra does not take from them. */
export const exchangeOrder = defineProbe({
  id: 'azure/exchange-order',
  about: 'whom the workload asks Entra for a token of',
  scope: 'service-account',
  needs: { azureUse },
  wants: { clientReference, askedTenant, askedAuthority, webhookSettings, podsAndTemplates },
  only: 'azureUse',
  ask: (
    { azureUse },
    { clientReference, askedTenant, askedAuthority, webhookSettings, podsAndTemplates },
    { subject },
  ): Fact<ExchangeOrder> => {
    const { namespace, name, kind } = subject
    if (kind !== 'ServiceAccount' || namespace === undefined) return absent(azureUse.from)
    if (clientReference.state !== 'known') return clientReference
    const { clientId } = clientReference.value
    if (!isClientId(clientId)) return absent(clientReference.from)
    const all = podsAndTemplates.state === 'known' ? podsAndTemplates.value : { pods: [], templates: [] }
    const users = [...all.pods, ...all.templates]
    if (users.length > 0 && users.every(usesBinding)) return absent(podsAndTemplates.from)
    if (askedTenant.state !== 'known') return askedTenant
    // The token of the pods is one for the audience that they project.
    const projected = users.map(audienceIn).find((one) => one !== undefined)
    const audience = projected ?? azureAudience
    // A token for whom else it may be is nothing to send to Entra.
    if (!isAzureAudience(audience) || audience === bindingAudience)
      return unknown(
        'not-asked',
        `the pods project a token for ${audience}, which is not sent to Entra from here`,
        podsAndTemplates.from,
        'kubectl wi exchange-test, inside the pod',
      )
    const environment = webhookSettings.state === 'known' ? webhookSettings.value.environment : undefined
    const cloud = clouds.find((one) => one.toLowerCase() === environment?.toLowerCase()) ?? 'AzurePublicCloud'
    const authority = askedAuthority.state === 'known' ? askedAuthority.value.value : authorityUrl(cloud)
    return known(
      { token: { namespace, name, audience }, clientId, tenant: askedTenant.value.value, authority },
      clientReference.from,
    )
  },
})
