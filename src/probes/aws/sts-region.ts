/** The region whose STS endpoint was asked, and whether the account that owns the role has it switched on. */
import { absent, defineProbe, type Fact, known, type Question } from '../../core/fact.ts'
import { partitionOfRegion } from '../../domain/arn.ts'
import { seen } from '../../domain/questions.ts'
import { type Answer, exchange, stsAnswers } from './exchange.ts'
import { registration } from './registration.ts'

export type RegionAnswer = {
  readonly kind: 'disabled' | 'token-refused' | 'provider-not-found'
  readonly region?: string
  readonly account?: string
  readonly answer: Answer
}

const regionIn = (text: string): string | undefined => {
  const host = /\bsts(?:-fips)?\.([a-z]{2,4}(?:-[a-z]{1,20}){1,3}-\d{1,2})\.amazonaws\.com/.exec(text)?.[1]
  const word = /(?:in|for) (?:this |the )?(?:region:? ?)?\(?([a-z]{2,4}(?:-[a-z]{1,20}){1,3}-\d{1,2})\)?/i.exec(
    text,
  )?.[1]
  const found = host ?? word
  return found !== undefined && partitionOfRegion(found) !== undefined ? found : undefined
}

/** An answer of STS that may be a matter of the region; absent where there was none. */
export const regionAnswer = defineProbe({
  id: 'aws/region-answer',
  about: 'what STS answered about its region',
  scope: 'service-account',
  needs: {},
  wants: { stsAnswers },
  ask: (_have, { stsAnswers }): Fact<RegionAnswer> => {
    const answers = stsAnswers.state === 'known' ? stsAnswers.value.answers : []
    for (const answer of answers) {
      const { text } = answer
      const kind = /RegionDisabledException/.test(text)
        ? 'disabled'
        : /GlobalEndpointTokenVersion|not valid (?:in|for) opt-in regions/i.test(text)
          ? 'token-refused'
          : /No OpenIDConnect provider found/i.test(text)
            ? 'provider-not-found'
            : undefined
      if (kind === undefined) continue
      const region = regionIn(text)
      const account = /\baccount:? \(?(\d{12})\b/i.exec(text)?.[1]
      return known(
        { kind, answer, ...(region === undefined ? {} : { region }), ...(account === undefined ? {} : { account }) },
        answer.from,
      )
    }
    return absent(seen.errors())
  },
})

/** Proof that the region is what STS means: the provider is there, and STS does not find it now, or finds it elsewhere. */
export type Inactive = { readonly account: string; readonly issuer: string; readonly from: Question }

/** Absent where STS said nothing of the kind, or may have said it before the provider was registered. */
export const inactiveRegion = defineProbe({
  id: 'aws/inactive-region',
  about: 'whether STS misses a provider that is there',
  scope: 'service-account',
  needs: {},
  wants: { regionAnswer, registration, exchange },
  ask: (_have, { regionAnswer, registration, exchange }): Fact<Inactive> => {
    if (regionAnswer.state !== 'known' || regionAnswer.value.kind !== 'provider-not-found') return absent(seen.errors())
    if (registration.state !== 'known' || registration.value.state !== 'registered') return absent(registration.from)
    const { account, issuer } = registration.value
    const { answer, region } = regionAnswer.value
    const now = exchange.state === 'known' && answer.from.call === exchange.from.call
    const elsewhere =
      exchange.state === 'known' &&
      exchange.value.outcome === 'exchanged' &&
      region !== undefined &&
      !exchange.value.endpoint.includes(`.${region}.`)
    return now || elsewhere
      ? known({ account, issuer, from: registration.from }, registration.from)
      : absent(seen.errors())
  },
})
