/** The comparison of token and credentials, for who would weigh a refusal of Entra's against it. */
import { absent, defineProbe, type Fact } from '../../core/fact.ts'
import { type Match, match } from './match.ts'
import { refusals } from './refusals.ts'

/** Absent where nothing was refused, so that what was not seen of the credentials matters to nobody. */
export const contradicted = defineProbe({
  id: 'azure/contradicted',
  about: 'which credentials match the token that was refused',
  scope: 'service-account',
  needs: { refusals },
  wants: { match },
  ask: ({ refusals }, { match }): Fact<Match> =>
    refusals.state === 'known' && refusals.value.length > 0 ? match : absent(refusals.from),
})
