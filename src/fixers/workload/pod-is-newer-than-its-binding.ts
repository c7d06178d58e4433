/** Has the one owner of a pod make it anew, so that the webhook sees it with its binding. */
import { check } from '../../checks/workload/pod-is-newer-than-its-binding.ts'
import { defineFixer } from '../../core/plan.ts'
import { restartOwner } from '../restart.ts'

export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: {
    'older-than-annotation': restartOwner,
    'older-than-webhook': restartOwner,
    'raced-the-account': restartOwner,
    'changed-since': restartOwner,
  },
})
