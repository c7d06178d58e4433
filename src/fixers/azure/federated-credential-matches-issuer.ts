/** Has the identity trust the issuer of the token: one credential more, or the last slash of one put right. */
import { check } from '../../checks/azure/federated-credential-matches-issuer.ts'
import { defineFixer } from '../../core/plan.ts'
import { addOne, credentialNeeds, rewriteOne } from '../credential-change.ts'

export const fixer = defineFixer(check, {
  needs: credentialNeeds,
  wants: {},
  // Which of two identities is meant is for a person; the issuer of a cluster that may still live is never overwritten.
  proposals: {
    'none-on-identity': addOne,
    'trailing-slash': rewriteOne('issuer'),
    'no-longer-signs': addOne,
    'other-cluster': addOne,
    'issuer-differs': addOne,
  },
})
