/** Has the credential for the token's issuer and subject take its audience. */
import { check } from '../../checks/azure/federated-credential-matches-audience.ts'
import { defineFixer } from '../../core/plan.ts'
import { credentialNeeds, rewriteOne } from '../credential-change.ts'

export const fixer = defineFixer(check, {
  needs: credentialNeeds,
  wants: {},
  // Issuer and subject stand once on an identity, so a second credential beside it is refused.
  proposals: { 'cloud-suffix': rewriteOne('audience'), 'audience-differs': rewriteOne('audience') },
})
