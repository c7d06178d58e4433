/** Has the identity trust the subject of the token: one credential more, or one that differs in case or form only put right. */
import { check } from '../../checks/azure/federated-credential-matches-subject.ts'
import { defineFixer } from '../../core/plan.ts'
import { addOne, credentialNeeds, rewriteOne } from '../credential-change.ts'

export const fixer = defineFixer(check, {
  needs: credentialNeeds,
  wants: {},
  // Which of two identities is meant is for a person; a subject that another workload goes by stays.
  proposals: {
    'differs-in-case': rewriteOne('subject'),
    'malformed-subject': rewriteOne('subject'),
    wildcard: addOne,
    'expression-differs': addOne,
    operator: addOne,
    'subject-differs': addOne,
  },
})
