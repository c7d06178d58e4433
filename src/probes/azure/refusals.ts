/** What Entra has refused to the workload: in error texts that were seen, and in the doctor's own exchange. */
import { absent, defineProbe, type Fact, inquire, known, type Question, type Soon } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { azure, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { askedAuthority, askedTenant, clientReference, isClientId } from './reference.ts'
import { azureUse } from './use.ts'

export type Exchange =
  | { readonly outcome: 'exchanged' }
  | {
      readonly outcome: 'refused'
      readonly status: number
      readonly code?: string
      readonly text: string
      readonly retryAfter?: string
    }

export function readExchange(json: Json): Exchange | undefined {
  const outcome = textAt(json, 'outcome')
  if (outcome === 'exchanged') return { outcome }
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

/** Absent where no client id is named that could be exchanged for. */
export const exchange = defineProbe({
  id: 'azure/exchange',
  about: "Entra's answer to the workload's token",
  scope: 'service-account',
  needs: { azureUse },
  wants: { clientReference, askedTenant, askedAuthority },
  ask: ({ azureUse }, { clientReference, askedTenant, askedAuthority }, inquiry): Soon<Fact<Exchange>> => {
    const { namespace, name, kind } = inquiry.subject
    if (azureUse.state === 'absent' || kind !== 'ServiceAccount' || namespace === undefined)
      return absent(azureUse.from)
    if (clientReference.state !== 'known') return clientReference
    const { clientId } = clientReference.value
    if (!isClientId(clientId)) return absent(clientReference.from)
    if (askedTenant.state !== 'known') return askedTenant
    const authority =
      askedAuthority.state === 'known' ? askedAuthority.value.value : 'https://login.microsoftonline.com/'
    const question = azure.exchange(
      { namespace, name, audience: azureAudience },
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
