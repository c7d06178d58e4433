/** What Entra has refused to the workload: in error texts that were seen, and in the doctor's own exchange. */
import { absent, defineProbe, type Fact, inquire, known, type Question, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { azureAudience, bindingAudience } from '../../domain/audiences.ts'
import { authorityUrl, clouds } from '../../domain/azure-clouds.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { audienceIn, isAzureAudience, usesBinding } from '../../domain/azure-pods.ts'
import { azure, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { podsAndTemplates } from './pods.ts'
import { askedAuthority, askedTenant, clientReference, isClientId, webhookSettings } from './reference.ts'
import { azureUse } from './use.ts'

export type Exchange =
  | {
      readonly outcome: 'exchanged'
      /** Whose the access token is, as its claims say. */
      readonly clientId?: string
      readonly objectId?: string
      readonly tenantId?: string
      /** What @azure/identity said, where it took none and Entra gave one. */
      readonly library?: string
    }
  | {
      readonly outcome: 'refused'
      readonly status: number
      readonly code?: string
      readonly text: string
      readonly retryAfter?: string
    }

export function readExchange(json: Json): Exchange | undefined {
  const outcome = textAt(json, 'outcome')
  if (outcome === 'exchanged') {
    const told = ['clientId', 'objectId', 'tenantId', 'library'].flatMap((name) => {
      const value = textAt(json, name)
      return value === undefined ? [] : [[name, value] as const]
    })
    return { outcome, ...Object.fromEntries(told) }
  }
  const text = textAt(json, 'text')
  if (outcome !== 'refused' || text === undefined) return undefined
  const status = at(json, 'status')
  const code = textAt(json, 'code')
  const retryAfter = textAt(json, 'retryAfter')
  return {
    outcome,
    text,
    status: typeof status === 'number' ? status : 400,
    ...(code === undefined ? {} : { code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** Absent where no client id is named that could be exchanged for, or the pods go by an identity binding, whose token Entra does not take from them. */
export const exchange = defineProbe({
  id: 'azure/exchange',
  about: "Entra's answer to the workload's token",
  scope: 'service-account',
  needs: { azureUse },
  wants: { clientReference, askedTenant, askedAuthority, webhookSettings, podsAndTemplates },
  ask: (
    { azureUse },
    { clientReference, askedTenant, askedAuthority, webhookSettings, podsAndTemplates },
    inquiry,
  ): Soon<Fact<Exchange>> => {
    const { namespace, name, kind } = inquiry.subject
    if (azureUse.state === 'absent' || kind !== 'ServiceAccount' || namespace === undefined)
      return absent(azureUse.from)
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
    const question = azure.exchange(
      { namespace, name, audience },
      { clientId, tenant: askedTenant.value.value, authority },
    )
    return inquire(inquiry, question, readExchange)
  },
})

export type Refusal = {
  /** Digits behind AADSTS; empty where there are none. */
  readonly code: string
  readonly text: string
  readonly place: string
  readonly from: Question
  readonly retryAfter?: string
}

/** Never unknown: what was not seen to be refused was not. Those of the doctor's own exchange come first. */
export const refusals = defineProbe({
  id: 'azure/refusals',
  about: 'what Entra has refused',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount, exchange },
  ask: (_have, { errorsOfServiceAccount, exchange }): Fact<readonly Refusal[]> => {
    const found: Refusal[] = []
    if (exchange.state === 'known' && exchange.value.outcome === 'refused') {
      const { code, text, retryAfter } = exchange.value
      found.push({
        code: code ?? codesIn(text)[0] ?? '',
        text,
        place: 'exchange',
        from: exchange.from,
        ...(retryAfter === undefined ? {} : { retryAfter }),
      })
    }
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    for (const { text, place } of errors)
      for (const code of codesIn(text)) found.push({ code, text, place, from: seen.errors() })
    return known(found, seen.errors())
  },
})

export const ofRefusal = ({ text, place, from }: Refusal) => ({
  question: from,
  path: place,
  observed: text.slice(0, 600),
})
