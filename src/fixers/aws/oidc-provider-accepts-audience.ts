/** Has the provider accept the audience of the tokens, beside those that it accepts. */
import { check } from '../../checks/aws/oidc-provider-accepts-audience.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { isUsualAudience } from '../../domain/audiences.ts'
import { addClientId } from '../../domain/aws-changes.ts'
import { parseProviderArn } from '../../domain/aws-trust-provider.ts'
import { audience } from '../../probes/aws/audience.ts'
import { oidcProvider } from '../../probes/aws/registration.ts'

const needs = { oidcProvider, audience }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly arn: string }>

/** An audience of its own is somebody's choice: whoever made it says which side is to be changed. */
function accept({ have: { oidcProvider, audience }, data: { arn } }: Brief): Proposal {
  if (oidcProvider.state === 'absent' || oidcProvider.value.assumed || audience.state === 'absent') return byHand
  const account = parseProviderArn(arn)?.accountId
  const token = audience.value.audience
  if (account === undefined || !isUsualAudience(token)) return byHand
  const summary = `Have the provider of account ${account} accept audience ${token}`
  return [{ summary, safety: 'review', ...addClientId(account, arn, token) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'client-id-misspelt': accept,
    'case-differs': accept,
    'annotation-asks-other': accept,
    'not-listed': accept,
  },
})
