/** The tokens of a pod that go to Google, by their times only, and what was heard of them. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { gcp } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { clock } from '../cluster/clock.ts'
import { readToken } from '../cluster/minted-token.ts'
import { ownTokens } from '../workload/own-tokens.ts'
import { googleFederation } from './federation.ts'
import { type Heard, heardFor } from './heard.ts'
import { googlePod } from './pod.ts'

export type TimedToken = {
  readonly file: string
  /** Where it stands among those that were collected; left out for one that was seen inside the pod. */
  readonly index?: number
  readonly issuer?: string
  readonly issuedAt?: number
  readonly expires?: number
  /** It lies in a Secret, is bound to nothing and never ends. */
  readonly legacy: boolean
}
export type GoogleTokens = {
  readonly tokens: readonly TimedToken[]
  readonly clock: Fact<number>
  readonly heard: readonly Heard[]
  readonly pod?: Pod
}

/** Absent where the workload exchanges no token itself, or none was seen and nothing was heard of any. */
export const googleTokens = defineProbe({
  id: 'gcp/tokens',
  about: 'the times of the tokens that go to Google',
  scope: 'pod',
  needs: { googlePod },
  wants: { ownTokens, clock, googleFederation },
  only: 'googlePod',
  ask: ({ googlePod }, { ownTokens, clock, googleFederation }): Fact<GoogleTokens> => {
    const none = absent(gcp.collected())
    const { heard, look, pod, fact } = googlePod.value
    const own = heardFor(heard, 'gcp/token-is-current')
    if (googleFederation.state !== 'known' && own.length === 0) return none
    const inside =
      look.state === 'known' && look.value.file?.claims !== undefined
        ? readToken({ claims: look.value.file.claims, header: {} })
        : undefined
    const seen = ownTokens.state === 'known' ? ownTokens.value.tokens : []
    const tokens: readonly TimedToken[] = [
      ...(inside === undefined || look.state !== 'known'
        ? []
        : [{ ...inside, file: look.value.file?.path ?? 'token', legacy: false }]),
      ...seen.filter(({ kind }) => kind !== 'other').map((token) => ({ ...token, legacy: token.kind === 'legacy' })),
    ].map(({ file, issuer, issuedAt, expires, legacy, ...more }) => ({
      file,
      legacy,
      ...('index' in more ? { index: more.index } : {}),
      ...(issuer === undefined ? {} : { issuer }),
      ...(issuedAt === undefined ? {} : { issuedAt }),
      ...(expires === undefined ? {} : { expires }),
    }))
    if (tokens.length === 0 && own.length === 0) return none
    return known({ tokens, clock, heard, ...(pod === undefined ? {} : { pod }) }, fact.from)
  },
})
