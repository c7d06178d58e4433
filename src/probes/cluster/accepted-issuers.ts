/** Which issuers the API server signs with and accepts, and which version it is where that decides. */
import { absent, defineProbe, type Fact, inquire, known, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { apiServer } from './api-server.ts'
import { issuer } from './issuer.ts'
import { observedErrors } from './observed-errors.ts'
import { seenTokens } from './seen-tokens.ts'

/** In order: the first signs. Empty where the flags were not seen; never unknown, for most clusters show a token instead. */
export const acceptedIssuers = defineProbe({
  id: 'cluster/accepted-issuers',
  about: 'the issuers that kube-apiserver accepts',
  scope: 'cluster',
  needs: {},
  wants: { apiServer },
  ask: (_have, { apiServer }): Fact<readonly string[]> =>
    known(apiServer.state === 'known' ? apiServer.value.issuers : [], apiServer.from),
})

/** The issuer of a token that kube-apiserver was shown and refused for it. */
export const refusedIssuer = /token issuer \\?"([^"\\\s]{1,512})\\?" is invalid/

/** Issuers of tokens that are in use, or were refused, besides the one that signs now. Never unknown. */
export const formerIssuers = defineProbe({
  id: 'cluster/former-issuers',
  about: 'issuers of tokens that are still in use',
  scope: 'cluster',
  needs: {},
  wants: { issuer, acceptedIssuers, seenTokens, observedErrors },
  ask: (_have, { issuer, acceptedIssuers, seenTokens, observedErrors }): Fact<readonly string[]> => {
    const first = acceptedIssuers.state === 'known' ? acceptedIssuers.value[0] : undefined
    const current =
      first ?? (issuer.state === 'known' && issuer.value.via !== 'error' ? issuer.value.issuer : undefined)
    const tokens = seenTokens.state === 'known' ? seenTokens.value.tokens : []
    const inUse = tokens.flatMap((token) => (token.kind === 'bound' && !token.ended ? (token.issuer ?? []) : []))
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const refused = errors.flatMap(({ text }) => refusedIssuer.exec(text)?.[1] ?? [])
    return known(
      [...new Set([...inUse, ...refused])].filter((one) => one !== current),
      seenTokens.from,
    )
  },
})

/** `v1.21.5`; absent where no former issuer is in use, for then it does not matter. */
export const serverVersion = defineProbe({
  id: 'cluster/server-version',
  about: 'the version of the API server',
  scope: 'cluster',
  needs: {},
  wants: { formerIssuers },
  ask: (_have, { formerIssuers }, inquiry): Soon<Fact<string>> => {
    const question = kubernetes.nonResource('/version')
    if (formerIssuers.state !== 'known' || formerIssuers.value.length === 0) return absent(question)
    return inquire(inquiry, question, (answer) => textAt(answer, 'gitVersion'))
  },
})
