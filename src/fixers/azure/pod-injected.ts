/** Has the one owner of a pod that the webhook did not change make it anew. */
import { check } from '../../checks/azure/pod-injected.ts'
import { defineFixer } from '../../core/plan.ts'
import { restartOwner } from '../restart.ts'

// What skips a container stands in the template, for whoever wrote it.
export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: { 'created-before-setup': restartOwner, 'not-injected': restartOwner },
})
