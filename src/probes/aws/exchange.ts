/** What STS answers to the ServiceAccount's token: to one that the doctor minted, and in the errors that were seen. */
import { absent, defineProbe, type Fact, inquire, known, type Question, type Soon, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { aws, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { audience } from './audience.ts'
import { isWebIdentity, roleReference } from './role-reference.ts'

export type Exchange =
  | { readonly outcome: 'exchanged'; readonly assumedRole: string; readonly endpoint: string }
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string; readonly endpoint: string }

const read = (json: Json): Exchange | undefined => {
  const endpoint = textAt(json, 'endpoint') ?? 'not collected'
  const outcome = textAt(json, 'outcome')
  if (outcome === 'exchanged') return { outcome, endpoint, assumedRole: textAt(json, 'assumedRole') ?? 'not collected' }
  const code = textAt(json, 'code')
  if (outcome !== 'refused' || code === undefined) return undefined
  return { outcome, endpoint, code, message: textAt(json, 'message') ?? '' }
}

/** The proof of the whole path: a token of this ServiceAccount, exchanged for the role that it names. */
export const exchange = defineProbe({
  id: 'aws/exchange',
  about: 'the exchange of a token for the role',
  scope: 'service-account',
  needs: { serviceAccount, roleReference },
  wants: { audience },
  only: 'serviceAccount',
  ask: ({ serviceAccount, roleReference }, want, inquiry): Soon<Fact<Exchange>> => {
    if (roleReference.state === 'absent' || !isWebIdentity(roleReference.value)) return absent(roleReference.from)
    const { value, arn } = roleReference.value
    if (arn === undefined) return unknown('not-asked', `${value.slice(0, 300)} is no role ARN`, roleReference.from)
    if (want.audience.state !== 'known')
      return want.audience.state === 'unknown' ? want.audience : absent(want.audience.from)
    const { namespace, name } = serviceAccount.value
    return inquire(inquiry, aws.exchange({ namespace, name, audience: want.audience.value.audience }, value), read)
  },
})

/** One thing that STS, or the way to it, was seen to say. */
export type Answer = { readonly text: string; readonly place: string; readonly from: Question }
export type Answers = {
  /** The doctor's own exchange worked. */
  readonly exchanged: boolean
  readonly answers: readonly Answer[]
}

/** Never unknown for want of an exchange: what was not tried was not answered. */
export const stsAnswers = defineProbe({
  id: 'aws/sts-answers',
  about: 'what STS was seen to answer',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount, exchange },
  ask: (_have, { errorsOfServiceAccount, exchange }): Fact<Answers> => {
    const own: readonly Answer[] =
      exchange.state === 'known' && exchange.value.outcome === 'refused'
        ? [{ text: `${exchange.value.code}: ${exchange.value.message}`, place: 'message', from: exchange.from }]
        : []
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const seenTexts = errors.map(({ text, place }) => ({ text, place, from: seen.errors() }))
    const exchanged = exchange.state === 'known' && exchange.value.outcome === 'exchanged'
    return known({ exchanged, answers: [...own, ...seenTexts] }, own[0]?.from ?? seen.errors())
  },
})

export const isDenied = (text: string): boolean =>
  /not authorized to perform:?\s+sts:AssumeRoleWithWebIdentity/i.test(text)
