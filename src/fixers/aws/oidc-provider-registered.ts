/** Registers the issuer of the tokens in the account of the role, beside whatever providers it has. */
import { check } from '../../checks/aws/oidc-provider-registered.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { createProvider } from '../../domain/aws-changes.ts'
import { isMasked, parseIssuer } from '../../domain/issuer-url.ts'
import { registration } from '../../probes/aws/registration.ts'

const needs = { registration }

function create({ have }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (have.registration.state === 'absent') return byHand
  const { account, partition, issuer, state } = have.registration.value
  if (state !== 'missing' || isMasked(issuer) || parseIssuer(issuer)?.scheme !== 'https') return byHand
  const summary = `Register ${issuer} as an OIDC provider of account ${account}, for audience ${awsAudience}`
  return [{ summary, safety: 'review', ...createProvider({ partition, account }, issuer, [awsAudience]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'case-differs': create, 'other-account': create, 'former-issuer': create, missing: create },
})
