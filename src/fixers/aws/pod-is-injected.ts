/** Has the one owner of a pod that lacks its identity make it anew, so that the webhook sees it again. */
import { check } from '../../checks/aws/pod-is-injected.ts'
import { defineFixer } from '../../core/plan.ts'
import { restartOwner } from '../restart.ts'

// What keeps the webhook away stands in the template, and is for whoever wrote that.
export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: {
    'role-differs': restartOwner,
    'created-before-annotation': restartOwner,
    'created-before-association': restartOwner,
    'created-before-webhook': restartOwner,
    'created-with-service-account': restartOwner,
    'not-injected': restartOwner,
  },
})
