/** What the workload's token says: issuer, subject and audience, as minted, as collected, or as an error text of Entra quotes it. */
import { defineProbe, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { quotedIn } from '../../domain/azure-errors.ts'
import { audienceIn, fileVariable, ownContainers } from '../../domain/azure-pods.ts'
import { apiTokenFolder } from '../../domain/token-files.ts'
import { issuer } from '../cluster/issuer.ts'
import { tokenSubjectOf } from '../cluster/judged.ts'
import { mintedToken } from '../workload/minted-token.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { ownTokens } from '../workload/own-tokens.ts'
import { podsAndTemplates } from './pods.ts'
import { azureUse } from './use.ts'

export type Claim = { readonly value: string; readonly from: Question; readonly path: string }
export type Assertion = {
  readonly issuer?: Claim
  readonly subject?: Claim
  readonly audience?: Claim
  /** The API server's own token is sent in place of the projected one. */
  readonly apiToken: boolean
  /** Some of it is what Entra itself quoted, so that it was sent. */
  readonly sent: boolean
}

/** Absent where the workload has nothing to do with Azure; unknown where nothing shows any of it. */
export const assertion = defineProbe({
  id: 'azure/assertion',
  about: "the issuer, subject and audience of the workload's token",
  scope: 'service-account',
  needs: { azureUse },
  wants: { ownTokens, mintedToken, issuer, errorsOfServiceAccount, podsAndTemplates },
  only: 'azureUse',
  ask: (
    { azureUse },
    { ownTokens, mintedToken, issuer, errorsOfServiceAccount, podsAndTemplates },
    { subject },
  ): Fact<Assertion> => {
    const claims: { issuer?: Claim; subject?: Claim; audience?: Claim } = {}
    const put = (name: keyof typeof claims, value: string | undefined, from: Question, path: string): void => {
      if (value !== undefined) claims[name] ??= { value, from, path }
    }
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    let sent = false
    for (const { text, place } of errors) {
      const quoted = quotedIn(text)
      if (Object.keys(quoted).length > 0) sent = true
      for (const name of ['issuer', 'subject', 'audience'] as const)
        put(name, quoted[name], errorsOfServiceAccount.from, place)
    }
    const seen =
      ownTokens.state === 'known'
        ? ownTokens.value.tokens.find(({ kind, ended }) => kind !== 'other' && !ended)
        : undefined
    if (seen !== undefined) {
      put('issuer', seen.issuer, ownTokens.from, `${seen.file} iss`)
      put('subject', seen.subject, ownTokens.from, `${seen.file} sub`)
      put('audience', seen.audiences[0], ownTokens.from, `${seen.file} aud`)
    }
    if (mintedToken.state === 'known') {
      put('issuer', mintedToken.value.issuer, mintedToken.from, 'claims.iss')
      put('subject', mintedToken.value.subject, mintedToken.from, 'claims.sub')
    }
    if (issuer.state === 'known') put('issuer', issuer.value.issuer, issuer.value.from, 'issuer')
    if (subject.kind === 'ServiceAccount') put('subject', tokenSubjectOf(subject), azureUse.from, 'metadata')
    const pods =
      podsAndTemplates.state === 'known' ? [...podsAndTemplates.value.pods, ...podsAndTemplates.value.templates] : []
    const apiToken = pods.some((pod) =>
      ownContainers(pod).some(({ env }) => env[fileVariable]?.startsWith(`${apiTokenFolder}/`) === true),
    )
    for (const pod of pods) put('audience', audienceIn(pod), podsAndTemplates.from, `${pod.name} spec.volumes`)
    // What the API server mints is for whom it was asked, and the doctor asks as the webhook does.
    if (mintedToken.state === 'known' && mintedToken.value.audiences.includes(azureAudience) && !apiToken)
      put('audience', azureAudience, mintedToken.from, 'claims.aud')
    if (
      claims.issuer === undefined &&
      claims.audience === undefined &&
      subject.kind !== 'ServiceAccount' &&
      claims.subject === undefined
    )
      return issuer.state === 'unknown'
        ? issuer
        : unknown('not-collected', "nothing shows the workload's token", azureUse.from, 'kubectl create token')
    return known({ ...claims, apiToken, sent }, azureUse.from)
  },
})
