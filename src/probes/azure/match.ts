/** The identity's credentials compared with the token, as Entra does: issuer, then subject, then audience. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { bindingAudience } from '../../domain/audiences.ts'
import { type Credential, takesSubject } from '../../domain/azure-credentials.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { usesBinding } from '../../domain/azure-pods.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { ownTokens } from '../workload/own-tokens.ts'
import { type Assertion, assertion } from './assertion.ts'
import { type Credentials, credentials } from './credentials.ts'
import { podsAndTemplates } from './pods.ts'
import { azureUse } from './use.ts'

export type Match = {
  readonly assertion: Assertion
  readonly credentials: Credentials
  /** Of its credentials those that name the issuer of the token. */
  readonly byIssuer: readonly Credential[]
  /** Of those the ones that take the subject, and those of which that could not be told. */
  readonly bySubject: readonly Credential[]
  readonly open: readonly Credential[]
  /** Of those that take both, the ones that name the audience. */
  readonly whole: readonly Credential[]
  /** A credential of another identity that fits in all that is known. */
  readonly elsewhere?: Credential
}

const fits = (one: Credential, { issuer, subject, audience }: Assertion): boolean =>
  issuer !== undefined &&
  subject !== undefined &&
  one.issuer === issuer.value &&
  one.subject === subject.value &&
  (audience === undefined || one.audiences[0] === audience.value)

/** Codes by which Entra says that a credential names the issuer, and that something else of it differs. */
const ofNamedIssuer: ReadonlySet<string> = new Set(['700213', '7002138'])

/** The issuer that Entra does not quote: it is that of the credentials where they all have the same one, and none of them the subject. */
function issuerBehind(
  errors: readonly ObservedError[],
  { own }: Credentials,
  { subject }: Assertion,
): string | undefined {
  const issuers = new Set(own.map((one) => one.issuer))
  const isNamed = errors.some(({ text }) => codesIn(text).some((code) => ofNamedIssuer.has(code)))
  return isNamed && issuers.size === 1 && !own.some((one) => one.subject === subject?.value)
    ? own[0]?.issuer
    : undefined
}

/** Absent where the pods go by an identity binding, or nothing is bound to Azure. */
export const match = defineProbe({
  id: 'azure/match',
  about: 'which credentials match the token',
  scope: 'service-account',
  needs: { azureUse },
  wants: { assertion, credentials, podsAndTemplates, ownTokens, errorsOfServiceAccount },
  only: 'azureUse',
  ask: (_have, { assertion, credentials, podsAndTemplates, ownTokens, errorsOfServiceAccount }): Fact<Match> => {
    const pods =
      podsAndTemplates.state === 'known' ? [...podsAndTemplates.value.pods, ...podsAndTemplates.value.templates] : []
    if (pods.length > 0 && pods.every(usesBinding)) return absent(podsAndTemplates.from)
    if (assertion.state === 'known' && assertion.value.audience?.value === bindingAudience)
      return absent(assertion.from)
    if (credentials.state !== 'known') return credentials
    if (assertion.state !== 'known') return assertion
    const { subject, audience } = assertion.value
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const behind =
      assertion.value.issuer === undefined ? issuerBehind(errors, credentials.value, assertion.value) : undefined
    const issuer =
      behind === undefined
        ? assertion.value.issuer
        : { value: behind, from: credentials.from, path: 'credentials[].issuer' }
    if (issuer === undefined)
      return unknown('not-collected', 'nothing shows the issuer of the token', assertion.from, 'kubectl create token')
    const token = ownTokens.state === 'known' ? ownTokens.value.tokens[0] : undefined
    const claims = {
      iss: issuer.value,
      sub: subject?.value,
      aud: audience?.value,
      ...(token === undefined ? {} : { 'kubernetes.io.namespace': textAt(token.claims, 'kubernetes.io', 'namespace') }),
    }
    const { own, others } = credentials.value
    const byIssuer = own.filter((one) => one.issuer === issuer.value)
    const told = byIssuer.map((one) => ({ one, takes: subject === undefined ? undefined : takesSubject(one, claims) }))
    const bySubject = told.filter(({ takes }) => takes === true).map(({ one }) => one)
    const whole = audience === undefined ? [] : bySubject.filter(({ audiences }) => audiences[0] === audience.value)
    const elsewhere = whole.length > 0 ? undefined : others.find((one) => fits(one, assertion.value))
    return known(
      {
        assertion: { ...assertion.value, issuer },
        credentials: credentials.value,
        byIssuer,
        bySubject,
        open: told.filter(({ takes }) => takes === undefined).map(({ one }) => one),
        whole,
        ...(elsewhere === undefined ? {} : { elsewhere }),
      },
      credentials.from,
    )
  },
})
