/** Whether the cluster knows the role of its nodes as one of nodes. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { withoutPath } from '../../domain/aws-auth.ts'
import { entryOf, isMeant, mappedAs, nodeGroups, nodeTypes, nodeUsername } from '../../domain/eks-node-mapping.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Doors, doors } from '../../probes/eks/doors.ts'
import { type NodeRole, nodeRoles } from '../../probes/eks/node-roles.ts'

type Role = { readonly role: string; readonly expected: string }
type Entry = Role & { readonly type: string }

const edit = 'kubectl edit configmap/aws-auth -n kube-system'
const create = ({ role, expected }: Role): string =>
  sh`aws eks create-access-entry --cluster-name CLUSTER --principal-arn ${role} --type ${expected}`

export const check = defineCheck({
  meta: {
    id: 'eks/nodes-are-mapped',
    title: "The nodes' role is known to the cluster as a node",
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Access',
    why: 'A kubelet enters with the role of its machine; a role that nobody knows leaves the cluster without that node.',
    fix: {
      safety: 'review',
      does: 'Add the one entry to aws-auth, or make the access entry: aws eks create-access-entry --type EC2_LINUX; all other entries stay byte for byte as they are.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html',
      'https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html',
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/494',
      'https://github.com/kubernetes-sigs/aws-iam-authenticator/tree/81b1dab',
    ],
  },
  needs: { nodeRoles },
  wants: { doors },
  after: [],
  messages: {
    'role-not-mapped': ({ role }: Role) =>
      `node role ${role} is neither in aws-auth nor an access entry: its nodes cannot join`,
    'groups-missing': ({ role, groups }: Role & { groups: string }) =>
      `aws-auth maps node role ${role} without ${groups}`,
    'username-differs': ({ role, username }: Role & { username: string }) =>
      `aws-auth maps node role ${role} to username ${username}; a node must be ${nodeUsername}`,
    'entry-type-differs': ({ role, type, expected }: Entry) =>
      `the access entry of node role ${role} has type ${type}; nodes need ${expected}`,
  },
  remedies: {
    'role-not-mapped': (data) =>
      advice(
        `Make an access entry for the role, or, where authenticationMode is CONFIG_MAP, add to mapRoles of aws-auth: rolearn ${withoutPath(data.role)}, username ${nodeUsername}, groups ${nodeGroups.join(' and ')}.`,
        create(data),
        edit,
      ),
    'groups-missing': ({ role, groups }) =>
      advice(`Add ${groups} to the groups of rolearn ${withoutPath(role)}; leave the other entries as they are.`, edit),
    'username-differs': ({ role }) =>
      advice(
        `Write username: ${nodeUsername} for rolearn ${withoutPath(role)}; people who come in by the same role need one of their own.`,
        edit,
      ),
    'entry-type-differs': (data) =>
      advice(
        'Delete the access entry and make it anew: its type does not change in place. People who come in by the same role need one of their own.',
        sh`aws eks delete-access-entry --cluster-name CLUSTER --principal-arn ${data.role}`,
        create(data),
      ),
  },
  judge: ({ have, want }) => {
    if (have.nodeRoles.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing shows which roles the nodes have' }
    const ways = want.doors.state === 'known' ? want.doors.value : nowhere
    const mapRoles = ways.map?.mapRoles.state
    if (mapRoles !== undefined && mapRoles !== 'read' && mapRoles !== 'left-out')
      return { status: 'not-applicable', reason: 'mapRoles of aws-auth does not parse' }
    const { roles, unseen } = have.nodeRoles.value
    const words = roles.map((role) => ({ role, word: wordOn(role, ways, want.doors.from) }))
    const passed: Evidence[] = words.map(({ role }) => ({ question: role.from, path: role.path, observed: role.arn }))
    const failed = words.find(({ word }) => typeof word === 'object')
    if (failed !== undefined && typeof failed.word === 'object') return failed.word
    const open = words.find(({ word }) => word === 'open')
    if (open !== undefined || unseen !== undefined) {
      const missing = open === undefined ? unseen : (ways.unseen[0] ?? unseen)
      return {
        status: 'undecided',
        lacks: missing?.detail ?? `whether the cluster knows node role ${open?.role.arn ?? ''} was not seen`,
        lift: missing?.lift ?? 'kubectl get configmap aws-auth -n kube-system -o yaml, and aws eks list-access-entries',
        evidence: passed,
      }
    }
    if (words.some(({ word }) => word === 'meant'))
      return { status: 'not-applicable', reason: 'the entry of aws-auth that means the role can match no caller' }
    return { status: 'pass', evidence: passed }
  },
})

const nowhere: Doors = { mapIsAll: false, entries: [], entriesAreAll: false, unseen: [] }

/** What both ways together say of one role; `open` where too little was seen, `meant` where another check speaks. */
function wordOn(
  { arn: role, windows, from, path, refused }: NodeRole,
  ways: Doors,
  where: Doors['unseen'][number]['from'],
) {
  const expected = windows ? 'EC2_WINDOWS' : 'EC2_LINUX'
  const seen: Evidence = { question: from, path, observed: refused ?? role }
  const entry = entryOf(ways.entries, role, refused !== undefined)
  if (entry !== undefined) {
    const type = entry.described?.type
    // A mapping in aws-auth does not count beside an access entry.
    if (type === undefined) return 'open'
    if (nodeTypes.has(type)) return 'mapped'
    const evidence = [{ question: where, path: 'accessEntry.type', observed: type, expected }, seen]
    return { status: 'fail', message: 'entry-type-differs', data: { role, type, expected }, evidence } as const
  }
  const mapped = ways.map === undefined ? undefined : mappedAs(ways.map, role)
  if (mapped !== undefined) {
    const here = `data.mapRoles[${mapped.index}]`
    const lacking = nodeGroups.filter((group) => !mapped.groups.includes(group))
    const username = mapped.username ?? ''
    // An access entry that was not seen would overrule it, and without a mode it is not known whether aws-auth is read.
    if (!ways.entriesAreAll || ways.mode === undefined) return 'open'
    if (lacking.length === 0 && username === nodeUsername) return 'mapped'
    if (lacking.length > 0) {
      const groups = lacking.join(' and ')
      const evidence = [
        { question: where, path: `${here}.groups`, observed: [...mapped.groups], expected: [...nodeGroups] },
        seen,
      ]
      return { status: 'fail', message: 'groups-missing', data: { role, expected, groups }, evidence } as const
    }
    const evidence = [{ question: where, path: `${here}.username`, observed: username, expected: nodeUsername }, seen]
    return {
      status: 'fail',
      message: 'username-differs',
      data: { role, expected, username: username === '' ? '(none)' : username },
      evidence,
    } as const
  }
  if (ways.map !== undefined && isMeant(ways.map, role)) return 'meant'
  const collectedNothing = ways.unseen.every(({ why }) => why === 'not-collected')
  if ((ways.mapIsAll && ways.entriesAreAll) || (refused !== undefined && collectedNothing))
    return { status: 'fail', message: 'role-not-mapped', data: { role, expected }, evidence: [seen] } as const
  return 'open'
}
