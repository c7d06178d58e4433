/** Restarts the controllers, which keep old credentials and old refusals; keys and Secrets are their owner's. */
import { check } from '../../checks/capa/credentials-can-be-retrieved.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { restartWorkload } from '../../domain/kubernetes-changes.ts'
import { capaDeployments } from '../../probes/capa/controllers.ts'
import { controllersSince } from '../../probes/capa/secrets.ts'

const needs = { capaDeployments }
const wants = { controllersSince }
type Brief = ProposalBrief<typeof needs, typeof wants, { readonly identity: string }>

const restart =
  (condition: (identity: string) => string) =>
  ({ data, finding, have: { capaDeployments }, want: { controllersSince } }: Brief): Proposal => {
    const [only, ...others] = capaDeployments.state === 'absent' ? [] : capaDeployments.value.items
    // What stands in a condition stays there until the controllers write it anew.
    const isSaid = finding.evidence?.every(({ path }) => path !== 'status.conditions') === true
    if (only === undefined || others.length > 0 || !isSaid) return byHand
    const pods = controllersSince.state === 'known' ? [controllersSince.value.pod] : []
    const place = { resource: 'deployments', namespace: only.namespace, name: only.name }
    const summary = `Restart deployment/${only.name} in namespace ${only.namespace}${condition(data.identity)}`
    return [{ summary, safety: 'review', ...restartWorkload(place, pods) }]
  }

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'key-refused': restart((identity) => `, once the owner of the key behind ${identity} confirms that it works`),
    'session-stale': restart((identity) => `, so that it takes the credentials that ${identity} has now`),
  },
})
