/** Has the one owner of a pod that still names a former identity make it anew. */
import { check } from '../../checks/azure/pod-environment-agrees.ts'
import { defineFixer } from '../../core/plan.ts'
import { restartOwner } from '../restart.ts'

// Variables and secrets that somebody wrote into a template are for whoever wrote them.
export const fixer = defineFixer(check, { needs: {}, wants: {}, proposals: { stale: restartOwner } })
