/** What Entra has refused to the workload: in error texts that were seen, and in the doctor's own exchange. */
import { absent, defineProbe, type Fact, inquire, known, type Question, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { azure, seen } from '../../domain/questions.ts'
import { sh } from '../../domain/shell-words.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { exchangeOrder } from './order.ts'
import { askedTenant, isClientId } from './reference.ts'

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

export const exchange = defineProbe({
  id: 'azure/exchange',
  about: "Entra's answer to the workload's token",
  scope: 'service-account',
  needs: { exchangeOrder },
  wants: {},
  only: 'exchangeOrder',
  ask: ({ exchangeOrder }, _want, inquiry): Soon<Fact<Exchange>> => {
    const { token, ...entra } = exchangeOrder.value
    return inquire(inquiry, azure.exchange(token, entra), readExchange)
  },
})

/** The tenant that is meant where it is asked by a name, as Entra itself has told it; absent where it is asked by its id. */
export const namedTenant = defineProbe({
  id: 'azure/named-tenant',
  about: 'the tenant behind the name that the workload asks with',
  scope: 'service-account',
  needs: { askedTenant },
  wants: { exchange },
  ask: ({ askedTenant }, { exchange }): Fact<string> => {
    if (askedTenant.state === 'absent' || isClientId(askedTenant.value.value)) return absent(askedTenant.from)
    const told =
      exchange.state === 'known' && exchange.value.outcome === 'exchanged' ? exchange.value.tenantId : undefined
    return told === undefined
      ? unknown(
          'not-collected',
          `which tenant ${askedTenant.value.value} is was not seen`,
          askedTenant.from,
          sh`curl -s https://login.microsoftonline.com/${askedTenant.value.value}/v2.0/.well-known/openid-configuration`,
        )
      : known(told, exchange.from)
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
