/** Lets the nodes of every role that the cluster does not know join: by an access entry, or by one more entry of aws-auth. */
import { check } from '../../checks/eks/nodes-are-mapped.ts'
import { textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { withoutPath } from '../../domain/aws-auth.ts'
import { withEntry, withGroups } from '../../domain/aws-auth-edits.ts'
import { createAccessEntry } from '../../domain/aws-entry-changes.ts'
import { entryOf, isMeant, mappedAs, nodeGroups, nodeUsername } from '../../domain/eks-node-mapping.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { cluster } from '../../probes/aws/cluster.ts'
import { awsAuthTexts } from '../../probes/eks/aws-auth-texts.ts'
import { doors } from '../../probes/eks/doors.ts'
import { nodeRoles } from '../../probes/eks/node-roles.ts'

const needs = { nodeRoles, doors }
const wants = { cluster, awsAuthTexts }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, D>

const place = { resource: 'configmaps', namespace: 'kube-system', name: 'aws-auth' }

function change(text: string | undefined, after: string | undefined, summary: string): Proposal {
  if (after === undefined || after === text) return byHand
  const edit = { path: ['data', 'mapRoles'], ...(text === undefined ? {} : { before: text }), after }
  return [{ summary, safety: 'review', ...patchObject(place, [edit]) }]
}

function letIn({ have: { nodeRoles, doors }, want: { cluster, awsAuthTexts } }: Brief): Proposal {
  if (nodeRoles.state === 'absent' || doors.state === 'absent') return byHand
  const ways = doors.value
  const roles = nodeRoles.value.roles.filter(
    ({ arn, refused }) =>
      entryOf(ways.entries, arn, refused !== undefined) === undefined &&
      (ways.map === undefined || (mappedAs(ways.map, arn) === undefined && !isMeant(ways.map, arn))),
  )
  if (roles.length === 0 || roles.some(({ arn }) => parseRoleArn(arn) === undefined)) return byHand
  if (ways.mode === 'API' || ways.mode === 'API_AND_CONFIG_MAP') {
    // Access entries take the path, which the session in a log leaves out.
    if (cluster.state !== 'known' || roles.some(({ refused }) => refused !== undefined)) return byHand
    const { name } = cluster.value
    return roles.map(({ arn, windows }) => {
      const type = windows ? 'EC2_WINDOWS' : 'EC2_LINUX'
      const summary = `Create an access entry of type ${type} for ${arn} in cluster ${name}`
      return { summary, safety: 'review', ...createAccessEntry(name, { principalArn: arn, type }) }
    })
  }
  // Nodes of Windows need a group more; and a ConfigMap that is not there is not made for one role alone.
  if (ways.mode !== 'CONFIG_MAP' || awsAuthTexts.state !== 'known' || roles.some(({ windows }) => windows))
    return byHand
  const text = textAt(awsAuthTexts.value, 'mapRoles')
  const after = roles.reduce<string | undefined>(
    (before, { arn }) =>
      before === undefined
        ? undefined
        : withEntry(before, { rolearn: withoutPath(arn), username: nodeUsername, groups: nodeGroups }),
    text ?? '',
  )
  const names = roles.map(({ arn }) => withoutPath(arn)).join(', ')
  return change(text, after, `Add ${names} to mapRoles of aws-auth as a role of nodes`)
}

/** Only to an entry that is one of nodes by its username: people may come in by any other. */
function addGroups({ have: { doors }, want: { awsAuthTexts }, data: { role } }: Brief<{ role: string }>): Proposal {
  const entry = doors.state === 'known' && doors.value.map !== undefined ? mappedAs(doors.value.map, role) : undefined
  if (entry === undefined || entry.username !== nodeUsername || awsAuthTexts.state !== 'known') return byHand
  const text = textAt(awsAuthTexts.value, 'mapRoles')
  const more = nodeGroups.filter((group) => !entry.groups.includes(group))
  const after = text === undefined ? undefined : withGroups(text, entry.index, more)
  return change(text, after, `Add ${more.join(' and ')} to the groups of ${withoutPath(role)} in aws-auth`)
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'role-not-mapped': letIn, 'groups-missing': addGroups },
})
