/** Names on the ServiceAccount the one account that admits it already; not where roles would stay behind with the direct identity. */
import { check } from '../../checks/gcp/direct-identity-suffices.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { grantsOf, mayImpersonate, nameOfResource } from '../../domain/gcp-policies.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { emailForm } from '../../probes/gcp/account.ts'
import { googleReach } from '../../probes/gcp/targets.ts'

const needs = { googleReach }
const wants = { clock }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>

function name({ have: { googleReach }, want }: Brief): Proposal {
  if (googleReach.state === 'absent') return byHand
  const { grants, openGrants, account, world } = googleReach.value.google
  if (account === undefined || account.name === 'default') return byHand
  const admitting = grants.filter(
    ({ resource, role, condition }) =>
      resource.startsWith('serviceAccounts/') && condition === undefined && mayImpersonate(role, undefined) === true,
  )
  const [email, ...others] = [...new Set(admitting.map(({ resource }) => nameOfResource(resource)))]
  if (email === undefined || others.length > 0 || !emailForm.test(email)) return byHand
  const held = new Set(
    world.policies
      .flatMap(grantsOf)
      .filter(({ member }) => member === `serviceAccount:${email}`)
      .map(({ resource, role }) => `${role} on ${resource}`),
  )
  const left = [...grants, ...openGrants]
    .filter(({ resource }) => !resource.startsWith('serviceAccounts/'))
    .map(({ resource, role }) => `${role} on ${resource}`)
    .filter((one) => !held.has(one))
  const { namespace, name } = account
  if (left.length > 0)
    return {
      manual: `Grant ${[...new Set(left)].join(' and ')} to ${email} first, which admits the ServiceAccount already; only then name it: as long as the roles are with the direct identity alone, the annotation would take them away.`,
    }
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const place = { resource: 'serviceaccounts', namespace, name }
  const summary = `Name account ${email}, which admits it, on ServiceAccount ${name} in namespace ${namespace}`
  return [{ summary, safety: 'review', ...annotate(place, googleAnnotation, undefined, email, time) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'id-token-needs-account': name,
    'signing-needs-account': name,
    'email-is-no-account': name,
    'bucket-needs-uniform-access': name,
    'service-refuses-federated-tokens': name,
    'perimeter-rule-not-applied': name,
  },
})
