/** Makes an access entry that admits nobody anew, with the groups and policies that it has: for the role as it is, under its whole ARN. */
import { check, wordOn } from '../../checks/eks/access-entries-are-valid.ts'
import { type Action, byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import {
  associateAccessPolicy,
  createAccessEntry,
  deleteAccessEntry,
  type Entry,
} from '../../domain/aws-entry-changes.ts'
import { cluster } from '../../probes/aws/cluster.ts'
import { type AccessEntry, shownEntries } from '../../probes/eks/access-entries.ts'
import { accessPolicies } from '../../probes/eks/access-policies.ts'
import { ownPrincipal } from '../../probes/eks/aws-auth-texts.ts'
import { entryPrincipals } from '../../probes/eks/entry-principals.ts'

const needs = { shownEntries, entryPrincipals, cluster, accessPolicies }
const wants = { ownPrincipal }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>

/** The name that EKS gives the sessions of a role by itself. */
function isOwnName(principal: string, username: string): boolean {
  const role = parseRoleArn(principal)
  return (
    role !== undefined &&
    username === `arn:${principal.split(':')[1]}:sts::${role.account}:assumed-role/${role.name}/{{SessionName}}`
  )
}

function entryOf({ principal, described }: AccessEntry): Entry | undefined {
  if (described?.type !== 'STANDARD') return undefined
  const { groups, username, tags } = described
  // Tags with this prefix are CloudFormation's to give; and groups of this one EKS gives by itself.
  if (Object.keys(tags).some((key) => key.startsWith('aws:')) || groups.some((group) => group.startsWith('system:')))
    return undefined
  return {
    principalArn: principal,
    type: described.type,
    kubernetesGroups: groups,
    tags,
    ...(username === undefined || isOwnName(principal, username) ? {} : { username }),
  }
}

/** `to`: the principal that the new entry is for. All of one entry, or words. */
function anew(entry: AccessEntry, to: string, { have, want, finding }: Brief): Proposal {
  const [held, role] = [entryOf(entry), parseRoleArn(to)]
  if (have.cluster.state === 'absent' || have.accessPolicies.state === 'absent') return byHand
  if (held === undefined || role === undefined) return byHand
  // Whoever applies this would be letting themselves in.
  const own = want.ownPrincipal.state === 'known' ? want.ownPrincipal.value : undefined
  if (own?.account === role.account && own.name.toLowerCase() === role.name.toLowerCase()) return byHand
  const policies = have.accessPolicies.value.get(entry.principal)
  if (policies?.state !== 'known') {
    const [sentence = '', ...commands] = (finding.remedy?.words ?? '').split('\n')
    const hidden = policies?.state === 'unknown' ? `${policies.detail}; ${policies.lift ?? ''}` : 'they were not listed'
    return { manual: [`${sentence} Its policies were not seen: ${hidden}`.replace(/; $/, ''), ...commands].join('\n') }
  }
  const { name } = have.cluster.value
  const groups = (held.kubernetesGroups ?? []).join(', ')
  const out: Action = {
    summary: `Delete access entry ${entry.principal} of cluster ${name}, which admits nobody`,
    safety: 'review',
    ...deleteAccessEntry(name, held, policies.value),
  }
  const made: Action = {
    summary: `Create an access entry for ${to} in cluster ${name}${groups === '' ? '' : ` with the groups ${groups}`}`,
    safety: 'review',
    ...createAccessEntry(name, { ...held, principalArn: to }),
  }
  const given = policies.value.map((policy): Action => {
    const { type, namespaces = [] } = policy.accessScope
    const where = type === 'cluster' ? 'the whole cluster' : namespaces.join(', ')
    return {
      summary: `Associate ${policy.policyArn.split('/').at(-1)} with access entry ${to} for ${where}`,
      safety: 'review',
      ...associateAccessPolicy(name, to, policy),
    }
  })
  // Under another name both can be there at once; else the old one stands in the way.
  return to === entry.principal ? [out, made, ...given] : [made, ...given, out]
}

const proposing =
  (message: 'principal-recreated' | 'path-left-out') =>
  (brief: Brief): Proposal => {
    const { shownEntries, entryPrincipals } = brief.have
    if (shownEntries.state === 'absent' || entryPrincipals.state === 'absent') return byHand
    const principals = new Map(entryPrincipals.value.map((one) => [one.principal, one]))
    const taken = new Set(shownEntries.value.entries.map(({ principal }) => principal))
    const actions: Action[] = []
    for (const entry of shownEntries.value.entries) {
      const word = wordOn(entry, principals.get(entry.principal))
      if (word === undefined || !('fault' in word) || word.fault.message !== message) continue
      const to = principals.get(entry.principal)?.arn ?? entry.principal
      // There is one for the role already: which of the two counts is for a person to say.
      if (to !== entry.principal && taken.has(to)) return byHand
      const proposal = anew(entry, to, brief)
      if ('manual' in proposal) return proposal
      actions.push(...proposal)
    }
    return actions
  }

export const fixer = defineFixer(check, {
  needs,
  wants,
  // For a role that is gone no entry can be made, a session leaves out the path of its role, and who of aws-auth is still wanted nobody has said.
  proposals: { 'principal-recreated': proposing('principal-recreated'), 'path-left-out': proposing('path-left-out') },
})
